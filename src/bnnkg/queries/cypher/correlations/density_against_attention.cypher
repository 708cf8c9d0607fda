// Does attention to a mechanism go with its density on the section?
//
// A cell that several models copy stands once, with the first of them as its family.
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of a Model that defines the cell; empty for any
//   limit (integer = 100000): rows
// Columns:
//   family: accession or key of the Model, which votes once
//   cell: name of the cell
//   mechanism: name of the mechanism
//   compartment: index of the section
//   kind: soma, dendrite, axon or other
//   gbar_S_per_cm2 [S_per_cm2]: density of maximal conductance
//   attention_lift: attention times the number of sources it competed with; 1 is no preference
//   density_uid: identity of the density
// Statistics:
//   attention_lift ~ gbar_S_per_cm2 | within: family | groups: mechanism
//     | inputs: mechanism.gbar_S_per_cm2, conductance
MATCH (m:Model {status: 'current'})-[:DEFINES]->(cell:Cell)
WHERE $model IN ['', m.key]
WITH cell, min(coalesce(m.accession, m.key)) AS family,
     CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (cell)-[:HAS_COMPARTMENT]->(c:Compartment)-[e:HAS_MECHANISM]->(x:Mechanism)
WITH family, cell, c, e, x, e['attention_lift' + suffix] AS lift
WHERE lift IS NOT NULL AND e.gbar_S_per_cm2 IS NOT NULL
RETURN family,
       cell.name AS cell,
       x.name AS mechanism,
       c.index AS compartment,
       c.kind AS kind,
       e.gbar_S_per_cm2 AS gbar_S_per_cm2,
       lift AS attention_lift,
       e.uid AS density_uid
ORDER BY family, cell, mechanism, compartment, density_uid
LIMIT $limit
