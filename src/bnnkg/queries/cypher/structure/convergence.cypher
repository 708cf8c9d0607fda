// How many neurons converge on each neuron, and to how many does it diverge?
//
// Parameters:
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   neuron: name of the neuron
//   n_senders: neurons with chemical or continuous synapses on it
//   n_receivers: neurons on which it has such synapses
//   n_synapses_in: such synapses that arrive
//   n_synapses_out: such synapses that leave
//   n_gap_partners: neurons that gap junctions join to it
//   neuron_uid: identity of the neuron
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
MATCH (n:Neuron)
WHERE n.model_uid = m.uid
WITH m, n,
     [(n)<-[e:CONNECTS_TO]-() WHERE e.kind <> 'electrical' | e.n_synapses] AS arriving,
     [(n)-[e:CONNECTS_TO]->() WHERE e.kind <> 'electrical' | e.n_synapses] AS leaving
RETURN m.key AS model,
       n.name AS neuron,
       COUNT {
         MATCH (n)<-[e:CONNECTS_TO]-(p) WHERE e.kind <> 'electrical' RETURN DISTINCT p
       } AS n_senders,
       COUNT {
         MATCH (n)-[e:CONNECTS_TO]->(p) WHERE e.kind <> 'electrical' RETURN DISTINCT p
       } AS n_receivers,
       reduce(total = 0, k IN arriving | total + k) AS n_synapses_in,
       reduce(total = 0, k IN leaving | total + k) AS n_synapses_out,
       COUNT {
         MATCH (n)-[e:CONNECTS_TO]-(p) WHERE e.kind = 'electrical' AND p <> n RETURN DISTINCT p
       } AS n_gap_partners,
       n.uid AS neuron_uid
ORDER BY n_senders + n_receivers DESC, neuron, neuron_uid
LIMIT $limit
