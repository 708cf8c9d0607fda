// Which connections does the trained network attend to most?
//
// The lift is the attention that the receiver pays to the sender, times the number of sources it
// chose between: 1 is no preference, 3 is three times an even share. The spread says how far the
// seeds of the run differ.
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of a Model; empty for all
//   kind (string = ""): chemical, electrical or continuous; empty for all
//   limit (integer = 20): rows
// Columns:
//   model: key of the Model
//   sender: presynaptic neuron
//   receiver: postsynaptic neuron
//   kind: chemical, electrical or continuous
//   synapse_types: names of the synapse models
//   contacts: sum of the weights of the synapses, which is their number where weights are 1, and
//     the number of contacts where the source writes it as weight
//   n_inputs: neurons that send to the receiver or share a gap junction with it
//   attention_lift: attention times the number of sources it competed with; 1 is no preference
//   attention_lift_sd: its spread over seeds
//   lift_over_sd: how many spreads the lift is above 1
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (sender:Neuron)
WHERE sender.model_uid = m.uid
MATCH (sender)-[e:CONNECTS_TO]->(receiver:Neuron)
WHERE $kind IN ['', e.kind]
WITH m, sender, receiver, e,
     e['attention_lift' + suffix] AS lift, e['attention_lift_sd' + suffix] AS sd
WHERE lift IS NOT NULL
WITH m, sender, receiver, e, lift, sd
ORDER BY lift DESC, e.uid
LIMIT $limit
RETURN m.key AS model,
       sender.name AS sender,
       receiver.name AS receiver,
       e.kind AS kind,
       COLLECT {
         MATCH (sender)-[:SENDS]->(s:Synapse)-[:TARGETS]->(receiver)
         WHERE s.kind = e.kind
         MATCH (s)-[o:OF_TYPE]->(t:SynapseType)
         WHERE o.side <> 'pre'
         RETURN DISTINCT t.name AS name ORDER BY name
       } AS synapse_types,
       coalesce(e.weight, toFloat(e.n_synapses)) AS contacts,
       COUNT {
         MATCH (receiver)-[input:CONNECTS_TO]-(other)
         WHERE input.kind = 'electrical' OR endNode(input) = receiver
         RETURN DISTINCT other
       } AS n_inputs,
       lift AS attention_lift,
       sd AS attention_lift_sd,
       CASE WHEN sd > 0 THEN (lift - 1) / sd END AS lift_over_sd
ORDER BY attention_lift DESC, e.uid
