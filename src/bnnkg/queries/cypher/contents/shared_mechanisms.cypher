// Which mechanisms do several models share, number for number?
//
// Parameters:
//   min_models (integer = 2): least number of models that define it
//   limit (integer = 100): rows
// Columns:
//   mechanism: name of the mechanism
//   kind: channel, concentration, point or unresolved
//   ion: ion that it carries or counts
//   n_models: models that define it
//   models: their keys
//   names: ids that they give it
//   mechanism_uid: identity of the mechanism
MATCH (m:Model {status: 'current'})-[d:DEFINES]->(x:Mechanism)
WITH x, collect(DISTINCT m.key) AS keys, collect(DISTINCT d.id) AS ids
WHERE size(keys) >= $min_models
RETURN x.name AS mechanism,
       x.kind AS kind,
       x.ion AS ion,
       size(keys) AS n_models,
       COLLECT { UNWIND keys AS key RETURN key ORDER BY key } AS models,
       COLLECT { UNWIND ids AS id RETURN id ORDER BY id } AS names,
       x.uid AS mechanism_uid
ORDER BY n_models DESC, mechanism, mechanism_uid
LIMIT $limit
