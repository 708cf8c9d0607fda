// Does attention to a neuron go with what was measured of it?
//
// No rows where nothing was simulated or recorded.
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   feature (string = ""): name of a measured feature; empty for all
//   protocol (string = ""): what was done to the neuron; empty for all
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 100000): rows
// Columns:
//   family: accession or key of the Model, which votes once
//   neuron: name of the neuron
//   protocol: what was done to it
//   feature: name of the measured feature
//   value: the feature, in its own unit
//   cls_lift: share of [CLS] times the number of nodes in the graph; 1 is an even share
//   received_lift: mean lift that the neuron receives from those it feeds
//   neuron_uid: identity of the neuron
//   activity_uid: identity of the measurement
// Statistics:
//   cls_lift ~ value | within: family | groups: protocol, feature
//     | inputs: v_rest_mV, input_resistance_Mohm, rheobase_pA, mean_frequency_Hz, spike_count,
//     ap_amplitude_mV, ap_half_width_ms, adaptation_index
//   received_lift ~ value | within: family | groups: protocol, feature
//     | inputs: v_rest_mV, input_resistance_Mohm, rheobase_pA, mean_frequency_Hz, spike_count,
//     ap_amplitude_mV, ap_half_width_ms, adaptation_index
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (a:Activity)
WHERE a.model_uid = m.uid AND $protocol IN ['', a.protocol]
MATCH (n:Neuron)-[:MEASURED_AS]->(a)
WHERE n['cls_lift' + suffix] IS NOT NULL
UNWIND range(0, size(coalesce(a.feature_names, [])) - 1) AS i
WITH m, n, a, suffix, a.feature_names[i] AS feature, a.feature_values[i] AS value
WHERE $feature IN ['', feature]
RETURN coalesce(m.accession, m.key) AS family,
       n.name AS neuron,
       a.protocol AS protocol,
       feature,
       value,
       n['cls_lift' + suffix] AS cls_lift,
       n['received_lift' + suffix] AS received_lift,
       n.uid AS neuron_uid,
       a.uid AS activity_uid
ORDER BY family, neuron, protocol, feature, neuron_uid, activity_uid
LIMIT $limit
