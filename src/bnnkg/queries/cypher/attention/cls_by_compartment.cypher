// Which sections of the cells does the graph token [CLS] look at?
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of a Model that defines the cell; empty for any
//   limit (integer = 20): rows
// Columns:
//   cell: name of the cell
//   compartment: index of the section
//   kind: soma, dendrite, axon or other
//   path_distance_um [um]: path from the root to the middle of the section
//   n_instances: instances that the mean was taken over
//   cls_lift: share of [CLS] times the number of nodes in the graph, mean over instances
//   cls_lift_sd: its spread over seeds
//   received_lift: mean lift that the section receives from those it feeds
//   compartment_uid: identity of the section
MATCH (m:Model {status: 'current'})-[:DEFINES]->(cell:Cell)
WHERE $model IN ['', m.key]
WITH DISTINCT cell, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (cell)-[:HAS_COMPARTMENT]->(c:Compartment)
WHERE c['cls_lift' + suffix] IS NOT NULL
RETURN cell.name AS cell,
       c.index AS compartment,
       c.kind AS kind,
       c.path_distance_um AS path_distance_um,
       c['attention_n' + suffix] AS n_instances,
       c['cls_lift' + suffix] AS cls_lift,
       c['cls_lift_sd' + suffix] AS cls_lift_sd,
       c['received_lift' + suffix] AS received_lift,
       c.uid AS compartment_uid
ORDER BY cls_lift DESC, compartment_uid
LIMIT $limit
