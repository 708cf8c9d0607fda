// Which of its own sections does the trained network look at in one neuron?
//
// Sections are shared by all instances of a cell; these are this neuron's own values.
//
// Parameters:
//   neuron (string): name of the Neuron
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of its Model; empty for any
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   neuron: name of the neuron
//   compartment: index of the section
//   kind: soma, dendrite, axon or other
//   path_distance_um [um]: path from the root to the middle of the section
//   cls_lift: share of [CLS] that this neuron's section gets, times the number of nodes
//   received_lift: mean lift that it receives from those it feeds
//   neuron_uid: identity of the neuron
MATCH (n:Neuron {name: $neuron})
MATCH (m:Model {uid: n.model_uid, status: 'current'})
WHERE $model IN ['', m.key]
MATCH (n)-[i:INSTANCE_OF]->(cell:Cell)
WITH m, n, i, cell, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
WITH m, n, cell, i['compartment_cls_lift' + suffix] AS cls,
     i['compartment_received_lift' + suffix] AS received
WHERE cls IS NOT NULL
MATCH (cell)-[:HAS_COMPARTMENT]->(c:Compartment)
RETURN m.key AS model,
       n.name AS neuron,
       c.index AS compartment,
       c.kind AS kind,
       c.path_distance_um AS path_distance_um,
       cls[c.index] AS cls_lift,
       received[c.index] AS received_lift,
       n.uid AS neuron_uid
ORDER BY model, neuron_uid, compartment
LIMIT $limit
