// Which mechanisms are near copies of each other, and in which models?
//
// Copies that agree in every number and equation are one mechanism: shared_mechanisms has these.
//
// Parameters:
//   mechanism (string = ""): part of a name that a model gives one of the two, in any case; empty
//     for all
//   model (string = ""): key of a Model that defines one of the two; empty for any
//   min_similarity (float = 0.0): least similarity
//   limit (integer = 100): rows
// Columns:
//   first: name of the one that more models define
//   second: name of the other
//   similarity: share of statements in common
//   first_names: ids that models give the first
//   second_names: ids that models give the second
//   n_first: models that define the first
//   n_second: models that define the second
//   first_models: their keys
//   second_models: their keys
//   n_both: models that define both
//   first_uid: identity of the first
//   second_uid: identity of the second
MATCH (m:Model {status: 'current'})-[d:DEFINES]->(x:Mechanism)
WHERE $model IN ['', m.key] AND toLower(coalesce(d.id, '')) CONTAINS toLower($mechanism)
WITH DISTINCT x
MATCH (x)-[s:SIMILAR_TO]-(y:Mechanism)
WHERE s.similarity >= $min_similarity
WITH CASE WHEN x.uid < y.uid THEN x ELSE y END AS a, CASE WHEN x.uid < y.uid THEN y ELSE x END AS b,
     max(s.similarity) AS similarity
MATCH (holder:Model {status: 'current'})-[d:DEFINES]->(a)
WITH a, b, similarity, collect(DISTINCT holder.key) AS a_keys, collect(DISTINCT d.id) AS a_ids
MATCH (holder:Model {status: 'current'})-[d:DEFINES]->(b)
WITH a, b, similarity, a_keys, a_ids,
     collect(DISTINCT holder.key) AS b_keys, collect(DISTINCT d.id) AS b_ids
WITH similarity,
     CASE WHEN size(a_keys) >= size(b_keys) THEN [a, b] ELSE [b, a] END AS pair,
     CASE WHEN size(a_keys) >= size(b_keys) THEN [a_keys, b_keys] ELSE [b_keys, a_keys] END AS keys,
     CASE WHEN size(a_keys) >= size(b_keys) THEN [a_ids, b_ids] ELSE [b_ids, a_ids] END AS ids
RETURN pair[0].name AS first,
       pair[1].name AS second,
       similarity,
       COLLECT { UNWIND ids[0] AS id RETURN id ORDER BY id } AS first_names,
       COLLECT { UNWIND ids[1] AS id RETURN id ORDER BY id } AS second_names,
       size(keys[0]) AS n_first,
       size(keys[1]) AS n_second,
       COLLECT { UNWIND keys[0] AS key RETURN key ORDER BY key } AS first_models,
       COLLECT { UNWIND keys[1] AS key RETURN key ORDER BY key } AS second_models,
       size([key IN keys[0] WHERE key IN keys[1]]) AS n_both,
       pair[0].uid AS first_uid,
       pair[1].uid AS second_uid
ORDER BY similarity DESC, n_first + n_second DESC, first_uid, second_uid
LIMIT $limit
