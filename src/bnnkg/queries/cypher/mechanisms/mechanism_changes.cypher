// Who changed which parameter of a mechanism, from what to what?
//
// The variants and the reference are those of mechanism_variants. Values are those that the
// mechanism itself gives; what a cell sets in place of them is in mechanism_density.
//
// Parameters:
//   mechanism (string): name that a model gives it, in any case; or a mechanism's uid
//   parameter (string = ""): part of the parameter's name, in any case; empty for all
//   limit (integer = 1000): rows
// Columns:
//   mechanism: name of the variant
//   n_models: models that define the variant
//   models: their keys
//   parameter: name of the parameter
//   unit: its unit
//   value: what the variant gives it; absent where it has no such parameter
//   reference_value: what the most used variant of that name gives it; absent likewise
//   similarity: share of statements in common with the reference; absent below what is stored
//   mechanism_uid: identity of the variant
//   reference_uid: identity of the reference
MATCH (m:Model {status: 'current'})-[d:DEFINES]->(x:Mechanism)
WHERE x.uid = $mechanism OR toLower(d.id) = toLower($mechanism)
WITH DISTINCT x
WITH x, COUNT { MATCH (m:Model {status: 'current'})-[:DEFINES]->(x) RETURN DISTINCT m } AS n_models
ORDER BY n_models DESC, x.uid
WITH collect(x) AS named
UNWIND named + COLLECT {
         UNWIND named AS one MATCH (one)-[:SIMILAR_TO]-(other:Mechanism) RETURN other
       } AS variant
WITH DISTINCT named[0] AS reference, variant
WHERE variant <> reference
MATCH (m:Model {status: 'current'})-[:DEFINES]->(variant)
WITH reference, variant, collect(DISTINCT m.key) AS keys
WITH reference, variant, keys, head(COLLECT {
       MATCH (variant)-[s:SIMILAR_TO]-(reference) RETURN s.similarity ORDER BY s.similarity DESC
     }) AS similarity,
     coalesce(variant.parameter_names, []) AS own, coalesce(reference.parameter_names, []) AS theirs
UNWIND own + [name IN theirs WHERE NOT name IN own] AS parameter
WITH reference, variant, keys, similarity, parameter,
     head([i IN range(0, size(own) - 1) WHERE own[i] = parameter]) AS i,
     head([j IN range(0, size(theirs) - 1) WHERE theirs[j] = parameter]) AS j
WITH reference, variant, keys, similarity, parameter, variant.parameter_values[i] AS value,
     reference.parameter_values[j] AS reference_value,
     coalesce(variant.parameter_units[i], reference.parameter_units[j]) AS unit
WHERE toLower(parameter) CONTAINS toLower($parameter) AND coalesce(value <> reference_value, true)
RETURN variant.name AS mechanism,
       size(keys) AS n_models,
       COLLECT { UNWIND keys AS key RETURN key ORDER BY key } AS models,
       parameter,
       unit,
       value,
       reference_value,
       similarity,
       variant.uid AS mechanism_uid,
       reference.uid AS reference_uid
ORDER BY n_models DESC, mechanism_uid, parameter
LIMIT $limit
