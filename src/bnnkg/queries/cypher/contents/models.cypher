// Which models are in the graph, and how large are they?
//
// Parameters:
//   term (string = ""): word of the field that they are about; empty for any
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   version: first digits of the hash of its content
//   format: neuroml2, lems, neuroml2+lems, neuron or mixed
//   tier: static (read) or executed (run)
//   n_networks: networks
//   n_populations: populations
//   n_neurons: neurons
//   n_synapses: connections of every kind
//   n_cells: cells that it defines, shared ones included
//   n_mechanisms: mechanisms that it defines, shared ones included
//   n_synapse_types: synapse types that it defines, shared ones included
//   terms: words of the field that it is about
//   runs: annotations on it, the unnamed one as ""
//   licence: licence of the source
//   doi: DOI of the publication
MATCH (m:Model {status: 'current'})
WHERE $term = '' OR EXISTS { (m)-[:ABOUT]->(:Term {name: $term}) }
WITH m, COLLECT { MATCH (m)-[:DEFINES]->(n) WITH DISTINCT n RETURN labels(n)[0] } AS defined
RETURN m.key AS model,
       left(m.version, 12) AS version,
       m.format AS format,
       m.tier AS tier,
       COUNT { MATCH (n:Network) WHERE n.model_uid = m.uid } AS n_networks,
       COUNT { MATCH (n:Population) WHERE n.model_uid = m.uid } AS n_populations,
       COUNT { MATCH (n:Neuron) WHERE n.model_uid = m.uid } AS n_neurons,
       COUNT { MATCH (n:Synapse) WHERE n.model_uid = m.uid } AS n_synapses,
       size([label IN defined WHERE label = 'Cell']) AS n_cells,
       size([label IN defined WHERE label = 'Mechanism']) AS n_mechanisms,
       size([label IN defined WHERE label = 'SynapseType']) AS n_synapse_types,
       COLLECT { MATCH (m)-[:ABOUT]->(t:Term) RETURN t.name ORDER BY t.name } AS terms,
       COLLECT {
         MATCH (r:AttentionRun {status: 'current'})-[:ANNOTATES]->(m) RETURN r.name ORDER BY r.name
       } AS runs,
       m.licence AS licence,
       m.doi AS doi
ORDER BY model, m.uid
LIMIT $limit
