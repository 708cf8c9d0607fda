// Which ion channels, concentration models and point dynamics are there?
//
// Parameters:
//   model (string = ""): key of a Model that defines the mechanism; empty for any
//   kind (string = ""): channel, concentration, point or unresolved; empty for any
//   limit (integer = 1000): rows
// Columns:
//   mechanism: name of the mechanism
//   kind: channel, concentration, point or unresolved
//   mechanism_class: NeuroML class
//   ion: ion that it carries or counts
//   gates: names of its gates
//   models: keys of the models that define it
//   n_cells: cells that carry it
//   mechanism_uid: identity of the mechanism
MATCH (m:Model {status: 'current'})-[:DEFINES]->(x:Mechanism)
WHERE $model IN ['', m.key] AND $kind IN ['', x.kind]
WITH x, collect(DISTINCT m.key) AS keys
RETURN x.name AS mechanism,
       x.kind AS kind,
       x.mechanism_class AS mechanism_class,
       x.ion AS ion,
       coalesce(x.gate_names, []) AS gates,
       COLLECT { UNWIND keys AS key RETURN key ORDER BY key } AS models,
       COUNT {
         MATCH (:Model {status: 'current'})-[:DEFINES]->(cell:Cell)
               -[:HAS_COMPARTMENT*0..1]->()-[:HAS_MECHANISM]->(x)
         RETURN DISTINCT cell
       } AS n_cells,
       x.uid AS mechanism_uid
ORDER BY mechanism, mechanism_uid
LIMIT $limit
