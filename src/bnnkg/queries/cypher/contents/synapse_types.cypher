// Which models of synapses are there, of what class and sign, and how much are they used?
//
// Parameters:
//   model (string = ""): key of a Model that defines the type; empty for any
//   limit (integer = 1000): rows
// Columns:
//   synapse_type: name of the type
//   synapse_class: NeuroML class
//   sign: 1 excites, -1 inhibits, by its reversal potential
//   n_synapses: connections that use it in these models
//   gbase_nS [nS]: maximal conductance
//   erev_mV [mV]: reversal potential
//   tau_rise_ms [ms]: rise time constant
//   tau_decay_ms [ms]: decay time constant
//   short_term_plasticity: class of its plasticity mechanism
//   models: keys of the models that define it
//   synapse_type_uid: identity of the type
MATCH (m:Model {status: 'current'})-[:DEFINES]->(t:SynapseType)
WHERE $model IN ['', m.key]
WITH t, collect(DISTINCT m) AS holders
RETURN t.name AS synapse_type,
       t.synapse_class AS synapse_class,
       t.sign AS sign,
       COUNT {
         MATCH (s:Synapse)-[:OF_TYPE]->(t)
         WHERE s.model_uid IN [holder IN holders | holder.uid]
         RETURN DISTINCT s
       } AS n_synapses,
       t.gbase_nS AS gbase_nS,
       t.erev_mV AS erev_mV,
       t.tau_rise_ms AS tau_rise_ms,
       t.tau_decay_ms AS tau_decay_ms,
       t.short_term_plasticity AS short_term_plasticity,
       COLLECT { UNWIND holders AS holder RETURN holder.key ORDER BY holder.key } AS models,
       t.uid AS synapse_type_uid
ORDER BY synapse_class, sign DESC, synapse_type, synapse_type_uid
LIMIT $limit
