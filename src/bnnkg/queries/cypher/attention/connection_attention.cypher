// What did a run write on every connection between neurons?
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   sender: presynaptic neuron
//   receiver: postsynaptic neuron
//   kind: chemical, electrical or continuous
//   n_synapses: synapses of that kind
//   contacts: sum of the weights of the synapses; see strongest_connections
//   attention: attention, mean over heads, blocks and seeds
//   attention_lift: attention times the number of sources it competed with; 1 is no preference
//   attention_lift_sd: its spread over seeds
//   attention_score: the score that won on validation
//   attention_up: attention of the receiver to the sender in GAN_up
//   attention_down: attention of the sender to the receiver in GAN_up
//   attention_forward: attention along the flow
//   attention_backward: attention against the flow
//   attention_forward_lift: lift along the flow
//   attention_backward_lift: lift against the flow
//   sender_uid: identity of the sender
//   receiver_uid: identity of the receiver
//   connection_uid: identity of the connection
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (sender:Neuron)
WHERE sender.model_uid = m.uid
MATCH (sender)-[e:CONNECTS_TO]->(receiver:Neuron)
WHERE e['attention_lift' + suffix] IS NOT NULL
RETURN m.key AS model,
       sender.name AS sender,
       receiver.name AS receiver,
       e.kind AS kind,
       e.n_synapses AS n_synapses,
       coalesce(e.weight, toFloat(e.n_synapses)) AS contacts,
       e['attention' + suffix] AS attention,
       e['attention_lift' + suffix] AS attention_lift,
       e['attention_lift_sd' + suffix] AS attention_lift_sd,
       e['attention_score' + suffix] AS attention_score,
       e['attention_up' + suffix] AS attention_up,
       e['attention_down' + suffix] AS attention_down,
       e['attention_forward' + suffix] AS attention_forward,
       e['attention_backward' + suffix] AS attention_backward,
       e['attention_forward_lift' + suffix] AS attention_forward_lift,
       e['attention_backward_lift' + suffix] AS attention_backward_lift,
       sender.uid AS sender_uid,
       receiver.uid AS receiver_uid,
       e.uid AS connection_uid
ORDER BY model, sender, receiver, kind, connection_uid
LIMIT $limit
