// On which connections do two runs differ most?
//
// Parameters:
//   run (string): name of the one annotation; empty for the unnamed one
//   other_run (string): name of the other
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 20): rows
// Columns:
//   model: key of the Model
//   sender: presynaptic neuron
//   receiver: postsynaptic neuron
//   kind: chemical, electrical or continuous
//   attention_lift: lift in the one run
//   attention_lift_sd: its spread over seeds
//   other_lift: lift in the other
//   other_lift_sd: its spread over seeds
//   difference: the one less the other
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix,
     CASE $other_run WHEN '' THEN '' ELSE '__' + $other_run END AS other_suffix
MATCH (sender:Neuron)
WHERE sender.model_uid = m.uid
MATCH (sender)-[e:CONNECTS_TO]->(receiver:Neuron)
WITH m, sender, receiver, e, suffix, other_suffix,
     e['attention_lift' + suffix] AS lift, e['attention_lift' + other_suffix] AS other
WHERE lift IS NOT NULL AND other IS NOT NULL
RETURN m.key AS model,
       sender.name AS sender,
       receiver.name AS receiver,
       e.kind AS kind,
       lift AS attention_lift,
       e['attention_lift_sd' + suffix] AS attention_lift_sd,
       other AS other_lift,
       e['attention_lift_sd' + other_suffix] AS other_lift_sd,
       lift - other AS difference
ORDER BY abs(lift - other) DESC, e.uid
LIMIT $limit
