// Does attention go with the number of contacts between two neurons?
//
// Ranks are shuffled among the inputs of one receiver: the question is whether a neuron prefers
// the senders with which it has more contacts. A gap junction works both ways and stands once, under
// the ends in the order of the source.
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 100000): rows
// Columns:
//   family: accession or key of the Model, which votes once
//   kind: chemical, electrical or continuous
//   sender: presynaptic neuron
//   receiver: postsynaptic neuron
//   contacts: sum of the weights of the synapses, which is their number where weights are 1, and
//     the number of contacts where the source writes it as weight
//   n_synapses: synapses of that kind
//   attention_lift: attention times the number of sources it competed with; 1 is no preference
//   attention_lift_sd: its spread over seeds
//   receiver_uid: identity of the receiver
// Statistics:
//   attention_lift ~ contacts | within: family | groups: kind | shuffled in: receiver_uid
//     | inputs: synapse.weight, synapse.n_parallel, in_chemical_weight, out_chemical_weight,
//     in_continuous_weight, out_continuous_weight, electrical_weight
//   attention_lift ~ n_synapses | within: family | groups: kind | shuffled in: receiver_uid
//     | inputs: synapse.n_parallel, in_chemical_synapses, out_chemical_synapses,
//     in_continuous_synapses, out_continuous_synapses, electrical_synapses
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (sender:Neuron)
WHERE sender.model_uid = m.uid
MATCH (sender)-[e:CONNECTS_TO]->(receiver:Neuron)
WHERE e['attention_lift' + suffix] IS NOT NULL
RETURN coalesce(m.accession, m.key) AS family,
       e.kind AS kind,
       sender.name AS sender,
       receiver.name AS receiver,
       coalesce(e.weight, toFloat(e.n_synapses)) AS contacts,
       e.n_synapses AS n_synapses,
       e['attention_lift' + suffix] AS attention_lift,
       e['attention_lift_sd' + suffix] AS attention_lift_sd,
       receiver.uid AS receiver_uid
ORDER BY family, kind, sender, receiver, e.uid
LIMIT $limit
