// Which kinds of synapses does the trained network attend to?
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 100): rows
// Columns:
//   synapse_type: name of the type
//   kind: chemical, electrical or continuous
//   sign: 1 excites, -1 inhibits
//   n_synapses: synapses of the type that have a value
//   attention_lift: mean lift with which the receiving section, or point neuron, attends to them
//   attention_lift_min: least lift
//   attention_lift_max: greatest lift
//   synapse_type_uid: identity of the type
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (s:Synapse)
WHERE s.model_uid = m.uid
MATCH (s)-[end:ARRIVES_AT|TARGETS]->()
WITH s, max(CASE type(end) WHEN 'ARRIVES_AT' THEN end['attention_lift' + suffix] END) AS at_section,
     max(CASE type(end) WHEN 'TARGETS' THEN end['attention_lift' + suffix] END) AS at_neuron
WITH s, coalesce(at_section, at_neuron) AS lift
WHERE lift IS NOT NULL
MATCH (s)-[o:OF_TYPE]->(t:SynapseType)
WHERE o.side <> 'pre'
RETURN t.name AS synapse_type,
       s.kind AS kind,
       t.sign AS sign,
       count(s) AS n_synapses,
       avg(lift) AS attention_lift,
       min(lift) AS attention_lift_min,
       max(lift) AS attention_lift_max,
       t.uid AS synapse_type_uid
ORDER BY attention_lift DESC, synapse_type, kind, synapse_type_uid
LIMIT $limit
