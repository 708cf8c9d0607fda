// Which neurons are there, of which cell, and where?
//
// Parameters:
//   model (string = ""): key of a Model; empty for all
//   population (string = ""): name of a Population; empty for all
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   population: name of the Population
//   neuron: name of the neuron
//   cell: name of its cell
//   x_um [um]: position of the root of its morphology, the soma's where there is one
//   y_um [um]: the same
//   z_um [um]: the same
//   neuron_uid: identity of the neuron
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
MATCH (n:Neuron)
WHERE n.model_uid = m.uid
MATCH (p:Population)-[:HAS_NEURON]->(n)-[:INSTANCE_OF]->(cell:Cell)
WHERE $population IN ['', p.name]
RETURN m.key AS model,
       p.name AS population,
       n.name AS neuron,
       cell.name AS cell,
       n.x_um AS x_um,
       n.y_um AS y_um,
       n.z_um AS z_um,
       n.uid AS neuron_uid
ORDER BY model, population, p.uid, n.index, neuron_uid
LIMIT $limit
