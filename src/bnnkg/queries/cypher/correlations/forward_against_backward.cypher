// Does attention along the flow of signals go with attention against it?
//
// direction_differences lists where the two differ most.
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
//   attention_forward_lift: how far the receiver prefers this sender
//   attention_backward_lift: how far the sender prefers this receiver
//   receiver_uid: identity of the receiver
// Statistics:
//   attention_forward_lift ~ attention_backward_lift | within: family | groups: kind
//     | shuffled in: receiver_uid
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (sender:Neuron)
WHERE sender.model_uid = m.uid
MATCH (sender)-[e:CONNECTS_TO]->(receiver:Neuron)
WITH m, sender, receiver, e, e['attention_forward_lift' + suffix] AS forward,
     e['attention_backward_lift' + suffix] AS backward
WHERE forward IS NOT NULL AND backward IS NOT NULL
RETURN coalesce(m.accession, m.key) AS family,
       e.kind AS kind,
       sender.name AS sender,
       receiver.name AS receiver,
       forward AS attention_forward_lift,
       backward AS attention_backward_lift,
       receiver.uid AS receiver_uid
ORDER BY family, kind, sender, receiver, e.uid
LIMIT $limit
