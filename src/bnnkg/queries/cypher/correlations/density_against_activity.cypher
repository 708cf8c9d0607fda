// Does the density of a mechanism go with what was measured of the cell or its neurons?
//
// No rows where nothing was simulated or recorded. Each family is one point (the mean of its
// rows), and the correlation is taken across families.
//
// Parameters:
//   feature (string = ""): name of a measured feature; empty for all
//   protocol (string = ""): what was done to it; empty for all
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 100000): rows
// Columns:
//   family: accession or key of the Model, which votes once
//   cell: name of the cell
//   mechanism: name of the mechanism
//   protocol: what was done to the cell
//   feature: name of the measured feature
//   gbar_mean_S_per_cm2 [S_per_cm2]: density over the cell's whole membrane, weighted by area
//   value: the feature, in its own unit
//   activity_uid: identity of the measurement
// Statistics:
//   value ~ gbar_mean_S_per_cm2 | across: family | groups: mechanism, protocol, feature
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
MATCH (a:Activity)
WHERE a.model_uid = m.uid AND $protocol IN ['', a.protocol]
MATCH (a)<-[:MEASURED_AS]-(subject:Cell|Neuron)-[:INSTANCE_OF*0..1]->(cell:Cell)
WITH coalesce(m.accession, m.key) AS family, a, cell,
     COLLECT { MATCH (cell)-[:HAS_COMPARTMENT]->(c) RETURN c.area_um2 } AS areas
MATCH (cell)-[:HAS_COMPARTMENT]->(c:Compartment)-[e:HAS_MECHANISM]->(x:Mechanism)
WHERE e.gbar_S_per_cm2 IS NOT NULL
WITH family, a, cell, x, sum(e.gbar_S_per_cm2 * c.area_um2) AS total,
     reduce(area = 0.0, one IN areas | area + one) AS area
WHERE area > 0
UNWIND range(0, size(coalesce(a.feature_names, [])) - 1) AS i
WITH family, a, cell, x, total / area AS gbar, a.feature_names[i] AS feature,
     a.feature_values[i] AS value
WHERE $feature IN ['', feature]
RETURN family,
       cell.name AS cell,
       x.name AS mechanism,
       a.protocol AS protocol,
       feature,
       gbar AS gbar_mean_S_per_cm2,
       value,
       a.uid AS activity_uid
ORDER BY family, cell, mechanism, protocol, feature, activity_uid, x.uid
LIMIT $limit
