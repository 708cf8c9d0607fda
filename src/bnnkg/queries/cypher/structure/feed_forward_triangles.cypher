// Which neurons does a neuron reach both directly and through one other?
//
// It starts from one neuron, so that its cost stays with that neuron's own partners.
//
// Parameters:
//   neuron (string): name of the Neuron where the triangles start
//   model (string = ""): key of its Model; empty for any
//   limit (integer = 100): rows
// Columns:
//   model: key of the Model
//   source: the neuron
//   relay: the neuron in between
//   target: the neuron that both send to
//   weight_direct: sum of the weights from source to target
//   weight_first: from source to relay
//   weight_second: from relay to target
//   relay_uid: identity of the relay
//   target_uid: identity of the target
MATCH (a:Neuron {name: $neuron})
MATCH (m:Model {uid: a.model_uid, status: 'current'})
WHERE $model IN ['', m.key]
MATCH (a)-[direct:CONNECTS_TO]->(c:Neuron)<-[second:CONNECTS_TO]-(b:Neuron)<-[first:CONNECTS_TO]-(a)
WHERE a <> b AND b <> c AND a <> c
  AND 'electrical' <> direct.kind AND 'electrical' <> second.kind AND 'electrical' <> first.kind
WITH m, a, b, c, collect(DISTINCT direct) AS directs, collect(DISTINCT first) AS firsts,
     collect(DISTINCT second) AS seconds
RETURN m.key AS model,
       a.name AS source,
       b.name AS relay,
       c.name AS target,
       reduce(w = 0.0, e IN directs | w + coalesce(e.weight, e.n_synapses)) AS weight_direct,
       reduce(w = 0.0, e IN firsts | w + coalesce(e.weight, e.n_synapses)) AS weight_first,
       reduce(w = 0.0, e IN seconds | w + coalesce(e.weight, e.n_synapses)) AS weight_second,
       b.uid AS relay_uid,
       c.uid AS target_uid
ORDER BY weight_direct + weight_first + weight_second DESC, relay_uid, target_uid
LIMIT $limit
