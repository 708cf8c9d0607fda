// Which pairs of neurons send to each other?
//
// Parameters:
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 100): rows
// Columns:
//   model: key of the Model
//   first: one neuron
//   second: the other
//   n_there: chemical and continuous synapses from the first to the second
//   n_back: from the second to the first
//   weight_there: sum of the weights from the first to the second
//   weight_back: from the second to the first
//   gap_junction: whether a gap junction joins them too
//   first_uid: identity of the first
//   second_uid: identity of the second
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
MATCH (a:Neuron)
WHERE a.model_uid = m.uid
MATCH (a)-[there:CONNECTS_TO]->(b:Neuron)-[back:CONNECTS_TO]->(a)
WHERE a.uid < b.uid AND there.kind <> 'electrical' AND back.kind <> 'electrical'
WITH m, a, b, collect(DISTINCT there) AS theres, collect(DISTINCT back) AS backs
RETURN m.key AS model,
       a.name AS first,
       b.name AS second,
       reduce(n = 0, e IN theres | n + e.n_synapses) AS n_there,
       reduce(n = 0, e IN backs | n + e.n_synapses) AS n_back,
       reduce(w = 0.0, e IN theres | w + coalesce(e.weight, e.n_synapses)) AS weight_there,
       reduce(w = 0.0, e IN backs | w + coalesce(e.weight, e.n_synapses)) AS weight_back,
       EXISTS { (a)-[:CONNECTS_TO {kind: 'electrical'}]-(b) } AS gap_junction,
       a.uid AS first_uid,
       b.uid AS second_uid
ORDER BY weight_there + weight_back DESC, first_uid, second_uid
LIMIT $limit
