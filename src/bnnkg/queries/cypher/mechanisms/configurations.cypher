// Which configurations of NEURON models were run to read them, what did it take, what is missing?
//
// A configuration is a file that was run with statements after it, up to the first time step. Of a
// model of which only the files were read there is none.
//
// Parameters:
//   model (string = ""): key of a Model; empty for all
//   missing_only (boolean = false): only of models that are known to lack something
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   network: name of the configuration
//   entry: file that was run
//   commands: statements that were run after it
//   fallbacks: what it took to make it load
//   stub_mechanisms: whether its mechanisms stood in as declarations only
//   temperature_degC [degC]: temperature
//   v_init_mV [mV]: potential at the start
//   n_populations: populations
//   n_neurons: neurons
//   n_compartments: sections of all neurons
//   n_segments: segments of all neurons
//   n_synapses: connections that arrive at its neurons
//   n_stimuli: inputs to its neurons
//   known_missing: what the source has and the graph is known to lack, for the whole model
//   network_uid: identity of the configuration
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key] AND (NOT $missing_only OR size(m.known_missing) > 0)
UNWIND COLLECT {
         MATCH (net:Network) WHERE net.model_uid = m.uid AND net.entry IS NOT NULL RETURN net
       } AS net
WITH m, net
ORDER BY m.key, m.uid, net.entry, net.uid
LIMIT $limit
OPTIONAL MATCH (net)-[:HAS_POPULATION]->(p:Population)
OPTIONAL MATCH (p)-[:HAS_NEURON]->(n:Neuron)-[:INSTANCE_OF]->(cell:Cell)
WITH m, net, count(DISTINCT p) AS n_populations, count(n) AS n_neurons,
     sum(cell.n_compartments) AS n_compartments, sum(cell.n_segments) AS n_segments
RETURN m.key AS model,
       net.name AS network,
       net.entry AS entry,
       coalesce(net.commands, []) AS commands,
       coalesce(net.fallbacks, []) AS fallbacks,
       net.stub_mechanisms AS stub_mechanisms,
       net.temperature_degC AS temperature_degC,
       net.v_init_mV AS v_init_mV,
       n_populations,
       n_neurons,
       n_compartments,
       n_segments,
       COUNT {
         MATCH (net)-[:HAS_POPULATION]->(:Population)-[:HAS_NEURON]->(:Neuron)<-[:TARGETS]-(:Synapse)
       } AS n_synapses,
       COUNT {
         MATCH (net)-[:HAS_POPULATION]->(:Population)-[:HAS_NEURON]->(:Neuron)
               <-[:STIMULATES]-(:Stimulus)
       } AS n_stimuli,
       coalesce(m.known_missing, []) AS known_missing,
       net.uid AS network_uid
ORDER BY model, m.uid, entry, network_uid
