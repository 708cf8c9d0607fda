// Does attention go with the distance between the somata of two neurons?
//
// Ranks are shuffled among the inputs of one receiver: the question is whether a neuron prefers
// near or far senders. A neuron's connection with itself is left out. A gap junction works both
// ways and stands once, under the ends in the order of the source.
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
//   distance_um [um]: straight line between the roots of the two morphologies, the somata where
//     there are any
//   attention_lift: attention times the number of sources it competed with; 1 is no preference
//   attention_lift_sd: its spread over seeds
//   receiver_uid: identity of the receiver
// Statistics:
//   attention_lift ~ distance_um | within: family | groups: kind | shuffled in: receiver_uid
//     | inputs: neuron.x_um, neuron.y_um, neuron.z_um, synapse.distance_um
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (sender:Neuron)
WHERE sender.model_uid = m.uid
MATCH (sender)-[e:CONNECTS_TO]->(receiver:Neuron)
WHERE e['attention_lift' + suffix] IS NOT NULL AND sender <> receiver
WITH m, sender, receiver, e, suffix,
     sqrt((sender.x_um - receiver.x_um) ^ 2 + (sender.y_um - receiver.y_um) ^ 2
          + (sender.z_um - receiver.z_um) ^ 2) AS distance
WHERE distance IS NOT NULL
RETURN coalesce(m.accession, m.key) AS family,
       e.kind AS kind,
       sender.name AS sender,
       receiver.name AS receiver,
       distance AS distance_um,
       e['attention_lift' + suffix] AS attention_lift,
       e['attention_lift_sd' + suffix] AS attention_lift_sd,
       receiver.uid AS receiver_uid
ORDER BY family, kind, sender, receiver, e.uid
LIMIT $limit
