// Which variants of a mechanism are there, who uses which, and how far is each from the most used?
//
// A variant is one content: its numbers and equations, whatever its name. Shown are all that some
// model gives the name, and near copies of these under any other. The reference is the one of that
// name that most models define; mechanism_changes lists the parameters in which the others differ.
//
// Parameters:
//   mechanism (string): name that a model gives it, in any case; or a mechanism's uid
//   limit (integer = 100): rows
// Columns:
//   mechanism: name of the variant
//   names: ids that models give it
//   n_models: models that define it
//   models: their keys
//   is_reference: whether the others are compared with it
//   similarity: share of statements in common with the reference; absent below what is stored
//   n_statements: statements of the variant; absent where it is no NMODL
//   n_statements_new: those that the reference lacks
//   n_statements_lost: those of the reference that it lacks
//   n_parameters_changed: parameters that only one of the two has, or with another value
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
MATCH (m:Model {status: 'current'})-[d:DEFINES]->(variant)
WITH reference, variant, collect(DISTINCT m.key) AS keys, collect(DISTINCT d.id) AS ids
WITH reference, variant, keys, ids,
     CASE WHEN variant = reference THEN 1.0 ELSE head(COLLECT {
       MATCH (variant)-[s:SIMILAR_TO]-(reference) RETURN s.similarity ORDER BY s.similarity DESC
     }) END AS similarity,
     variant.statement_hashes AS statements, reference.statement_hashes AS others,
     coalesce(variant.parameter_names, []) AS own, coalesce(reference.parameter_names, []) AS theirs
RETURN variant.name AS mechanism,
       COLLECT { UNWIND ids AS id RETURN id ORDER BY id } AS names,
       size(keys) AS n_models,
       COLLECT { UNWIND keys AS key RETURN key ORDER BY key } AS models,
       variant = reference AS is_reference,
       similarity,
       size(statements) AS n_statements,
       size([one IN statements WHERE NOT one IN others]) AS n_statements_new,
       size([one IN others WHERE NOT one IN statements]) AS n_statements_lost,
       size([i IN range(0, size(own) - 1)
             WHERE NOT any(j IN range(0, size(theirs) - 1)
                           WHERE theirs[j] = own[i]
                             AND reference.parameter_values[j] = variant.parameter_values[i])])
         + size([name IN theirs WHERE NOT name IN own]) AS n_parameters_changed,
       variant.uid AS mechanism_uid,
       reference.uid AS reference_uid
ORDER BY is_reference DESC, coalesce(similarity, 0.0) DESC, n_models DESC, mechanism_uid
LIMIT $limit
