// Which neurons do gap junctions join?
//
// A junction that the source lists from both sides stands once.
//
// Parameters:
//   neuron (string = ""): name of a Neuron that takes part; empty for all
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   first: one neuron
//   second: the other; the same for a junction with itself
//   n_junctions: gap junctions between them
//   n_listed: entries in the source, both sides counted
//   weight: sum of the junctions' weights
//   conductance_nS [nS]: sum of weight times conductance of the junctions' type
//   first_uid: identity of the first
//   second_uid: identity of the second
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
MATCH (s:Synapse)
WHERE s.model_uid = m.uid AND s.kind = 'electrical'
MATCH (a:Neuron)-[:SENDS]->(s)-[:TARGETS]->(b:Neuron)
WHERE $neuron IN ['', a.name, b.name]
WITH m, s, CASE WHEN a.uid <= b.uid THEN a ELSE b END AS one,
     CASE WHEN a.uid <= b.uid THEN b ELSE a END AS two,
     CASE WHEN s.mirrored THEN 0 ELSE 1 END AS counts,
     head(COLLECT { MATCH (s)-[:OF_TYPE]->(t) RETURN t.gbase_nS LIMIT 1 }) AS gbase_nS
WITH m, one, two, sum(counts) AS n_junctions, count(s) AS n_listed,
     sum(counts * coalesce(s.weight, 1.0)) AS weight,
     sum(counts * coalesce(s.weight, 1.0) * gbase_nS) AS conductance_nS
RETURN m.key AS model,
       one.name AS first,
       two.name AS second,
       n_junctions,
       n_listed,
       weight,
       conductance_nS,
       one.uid AS first_uid,
       two.uid AS second_uid
ORDER BY weight DESC, first_uid, second_uid
LIMIT $limit
