// Which neurons does the graph token [CLS] look at?
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 20): rows
// Columns:
//   model: key of the Model
//   neuron: name of the neuron
//   cell: name of its cell
//   cls_lift: share of [CLS] times the number of nodes in the graph; 1 is an even share
//   cls_lift_sd: its spread over seeds
//   received_lift: mean lift that the neuron receives from those it feeds
//   received_lift_sd: its spread over seeds
//   neuron_uid: identity of the neuron
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (n:Neuron)
WHERE n.model_uid = m.uid AND n['cls_lift' + suffix] IS NOT NULL
MATCH (n)-[:INSTANCE_OF]->(cell:Cell)
RETURN m.key AS model,
       n.name AS neuron,
       cell.name AS cell,
       n['cls_lift' + suffix] AS cls_lift,
       n['cls_lift_sd' + suffix] AS cls_lift_sd,
       n['received_lift' + suffix] AS received_lift,
       n['received_lift_sd' + suffix] AS received_lift_sd,
       n.uid AS neuron_uid
ORDER BY cls_lift DESC, neuron_uid
LIMIT $limit
