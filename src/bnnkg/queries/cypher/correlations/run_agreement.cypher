// How far do two runs agree on what they attend to?
//
// run_differences lists where they differ most.
//
// Parameters:
//   run (string): name of the one annotation; empty for the unnamed one
//   other_run (string): name of the other
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 100000): rows
// Columns:
//   family: accession or key of the Model, which votes once
//   kind: chemical, electrical or continuous
//   sender: presynaptic neuron
//   receiver: postsynaptic neuron
//   attention_lift: lift in the one run
//   other_lift: lift in the other
//   receiver_uid: identity of the receiver
// Statistics:
//   attention_lift ~ other_lift | within: family | groups: kind | shuffled in: receiver_uid
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix,
     CASE $other_run WHEN '' THEN '' ELSE '__' + $other_run END AS other_suffix
MATCH (sender:Neuron)
WHERE sender.model_uid = m.uid
MATCH (sender)-[e:CONNECTS_TO]->(receiver:Neuron)
WITH m, sender, receiver, e, e['attention_lift' + suffix] AS lift,
     e['attention_lift' + other_suffix] AS other
WHERE lift IS NOT NULL AND other IS NOT NULL
RETURN coalesce(m.accession, m.key) AS family,
       e.kind AS kind,
       sender.name AS sender,
       receiver.name AS receiver,
       lift AS attention_lift,
       other AS other_lift,
       receiver.uid AS receiver_uid
ORDER BY family, kind, sender, receiver, e.uid
LIMIT $limit
