// How do excitation and inhibition balance on each neuron?
//
// Parameters:
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   neuron: name of the neuron
//   n_excitatory: synapses on it whose reversal potential excites
//   n_inhibitory: those whose reversal potential inhibits
//   n_unsigned: those whose sign is not known
//   excitatory_nS [nS]: sum of weight times maximal conductance over the excitatory ones
//   inhibitory_nS [nS]: the same over the inhibitory ones
//   balance: (excitatory - inhibitory) / (excitatory + inhibitory), by number; 1 is all excitation
//   balance_conductance: the same, by conductance
//   neuron_uid: identity of the neuron
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
MATCH (n:Neuron)
WHERE n.model_uid = m.uid
MATCH (n)<-[:TARGETS]-(s:Synapse)-[o:OF_TYPE]->(t:SynapseType)
WHERE s.kind <> 'electrical' AND o.side <> 'pre'
WITH m, n,
     sum(CASE t.sign WHEN 1 THEN 1 ELSE 0 END) AS n_exc,
     sum(CASE t.sign WHEN -1 THEN 1 ELSE 0 END) AS n_inh,
     sum(CASE WHEN coalesce(t.sign, 0) = 0 THEN 1 ELSE 0 END) AS n_unsigned,
     sum(CASE t.sign WHEN 1 THEN coalesce(s.weight, 1.0) * t.gbase_nS END) AS exc,
     sum(CASE t.sign WHEN -1 THEN coalesce(s.weight, 1.0) * t.gbase_nS END) AS inh
RETURN m.key AS model,
       n.name AS neuron,
       n_exc AS n_excitatory,
       n_inh AS n_inhibitory,
       n_unsigned,
       toFloat(exc) AS excitatory_nS,
       toFloat(inh) AS inhibitory_nS,
       CASE WHEN n_exc + n_inh > 0 THEN toFloat(n_exc - n_inh) / (n_exc + n_inh) END AS balance,
       CASE WHEN exc + inh > 0 THEN toFloat(exc - inh) / (exc + inh) END AS balance_conductance,
       n.uid AS neuron_uid
ORDER BY balance, neuron, neuron_uid
LIMIT $limit
