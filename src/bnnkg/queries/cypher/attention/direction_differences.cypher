// Where do forward and backward attention differ most?
//
// Forward, the receiver attends to the sender (with the flow of signals); backward, the sender
// attends to the receiver (against it). Both are lifts: 1 is no preference.
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
//   contacts: sum of the weights of the synapses; see strongest_connections
//   attention_forward_lift: how far the receiver prefers this sender
//   attention_forward_lift_sd: its spread over seeds
//   attention_backward_lift: how far the sender prefers this receiver
//   attention_backward_lift_sd: its spread over seeds
//   difference: forward less backward
//   difference_over_sd: the difference over the root of the two spreads' squares
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (sender:Neuron)
WHERE sender.model_uid = m.uid
MATCH (sender)-[e:CONNECTS_TO]->(receiver:Neuron)
WHERE $kind IN ['', e.kind]
WITH m, sender, receiver, e,
     e['attention_forward_lift' + suffix] AS forward,
     e['attention_forward_lift_sd' + suffix] AS forward_sd,
     e['attention_backward_lift' + suffix] AS backward,
     e['attention_backward_lift_sd' + suffix] AS backward_sd
WHERE forward IS NOT NULL AND backward IS NOT NULL
WITH m, sender, receiver, e, forward, forward_sd, backward, backward_sd,
     sqrt(forward_sd ^ 2 + backward_sd ^ 2) AS sd
RETURN m.key AS model,
       sender.name AS sender,
       receiver.name AS receiver,
       e.kind AS kind,
       coalesce(e.weight, toFloat(e.n_synapses)) AS contacts,
       forward AS attention_forward_lift,
       forward_sd AS attention_forward_lift_sd,
       backward AS attention_backward_lift,
       backward_sd AS attention_backward_lift_sd,
       forward - backward AS difference,
       CASE WHEN sd > 0 THEN (forward - backward) / sd END AS difference_over_sd
ORDER BY abs(forward - backward) DESC, e.uid
LIMIT $limit
