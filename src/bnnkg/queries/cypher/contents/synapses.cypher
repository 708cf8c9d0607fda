// Which connections are there, of which kind and type, between which sections?
//
// Parameters:
//   model (string = ""): key of a Model; empty for all
//   kind (string = ""): chemical, electrical or continuous; empty for all
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   kind: chemical, electrical or continuous
//   sender: presynaptic neuron
//   receiver: postsynaptic neuron
//   synapse_types: names of its synapse models
//   weight: factor on its strength
//   delay_ms [ms]: time from spike to response
//   leaves_from: kind of the presynaptic section; absent for a point cell
//   arrives_at: kind of the postsynaptic section; absent for a point cell
//   arrives_at_um [um]: path from the root of the receiver's morphology to the synapse
//   mirrored: a gap junction that the source also lists from the other side
//   synapse_uid: identity of the synapse
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
MATCH (s:Synapse)
WHERE s.model_uid = m.uid AND $kind IN ['', s.kind]
MATCH (sender:Neuron)-[:SENDS]->(s)-[:TARGETS]->(receiver:Neuron)
WITH m, s, sender, receiver
ORDER BY m.key, s.projection, s.index, s.uid
LIMIT $limit
OPTIONAL MATCH (s)-[:LEAVES_FROM]->(from:Compartment)
OPTIONAL MATCH (s)-[at:ARRIVES_AT]->(to:Compartment)
RETURN m.key AS model,
       s.kind AS kind,
       sender.name AS sender,
       receiver.name AS receiver,
       COLLECT { MATCH (s)-[:OF_TYPE]->(t) RETURN DISTINCT t.name AS n ORDER BY n } AS synapse_types,
       s.weight AS weight,
       s.delay_ms AS delay_ms,
       from.kind AS leaves_from,
       to.kind AS arrives_at,
       to.path_distance_um + (at.fraction_along - 0.5) * to.length_um AS arrives_at_um,
       coalesce(s.mirrored, false) AS mirrored,
       s.uid AS synapse_uid
ORDER BY model, s.projection, s.index, synapse_uid
