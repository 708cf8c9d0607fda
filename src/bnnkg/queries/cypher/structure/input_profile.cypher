// How do a neuron's inputs spread along its dendrites?
//
// Synapses are counted by the path from the root of the morphology to where they arrive.
//
// Parameters:
//   neuron (string): name of the Neuron
//   model (string = ""): key of its Model; empty for any
//   bin_um (float = 50.0): width of a bin of path distance, in um
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   neuron: name of the neuron
//   kind: kind of the section: soma, dendrite, axon or other
//   from_um [um]: where the bin begins
//   to_um [um]: where it ends
//   n_synapses: chemical and continuous connections that arrive in it
//   n_excitatory: those whose type excites
//   n_inhibitory: those whose type inhibits
//   weight: sum of their weights
//   neuron_uid: identity of the neuron
MATCH (n:Neuron {name: $neuron})
MATCH (m:Model {uid: n.model_uid, status: 'current'})
WHERE $model IN ['', m.key]
MATCH (n)<-[:TARGETS]-(s:Synapse)-[at:ARRIVES_AT]->(section:Compartment)
WHERE s.kind <> 'electrical'
WITH m, n, s, section.kind AS kind,
     section.path_distance_um + (coalesce(at.fraction_along, 0.5) - 0.5) * section.length_um AS path_um,
     COLLECT { MATCH (s)-[o:OF_TYPE]->(t) WHERE o.side <> 'pre' RETURN t.sign } AS signs
WITH m, n, kind, floor(path_um / $bin_um) AS bin, s, signs
RETURN m.key AS model,
       n.name AS neuron,
       kind,
       bin * $bin_um AS from_um,
       (bin + 1) * $bin_um AS to_um,
       count(s) AS n_synapses,
       sum(CASE WHEN 1 IN signs THEN 1 ELSE 0 END) AS n_excitatory,
       sum(CASE WHEN -1 IN signs THEN 1 ELSE 0 END) AS n_inhibitory,
       sum(coalesce(s.weight, 1.0)) AS weight,
       n.uid AS neuron_uid
ORDER BY model, neuron_uid, from_um, kind
LIMIT $limit
