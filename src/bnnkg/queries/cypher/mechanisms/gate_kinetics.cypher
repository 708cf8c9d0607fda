// At which potential does each gate of a channel open, and how fast, in which models?
//
// Evaluated from the equations of the mechanism itself, at the temperature that its file gives:
// compare gates of one temperature, or with the factors of its q10. gate_spread has the spread.
//
// Parameters:
//   mechanism (string = ""): part of a name that a model gives it, in any case; empty for all
//   ion (string = ""): ion that it carries; empty for all
//   gate (string = ""): name of the gate, in any case; empty for all
//   model (string = ""): key of a Model that defines the mechanism; empty for any
//   limit (integer = 1000): rows
// Columns:
//   mechanism: name of the mechanism
//   ion: ion that it carries
//   gate: name of the gate
//   opens_on: depolarisation or hyperpolarisation; absent where its steady state is not known
//   v_half_mV [mV]: where its steady state is half way
//   slope_mV [mV]: Boltzmann slope there, negative where it opens on hyperpolarisation
//   exponent: power in which the current takes it; absent where it takes none
//   tau_max_ms [ms]: longest time constant
//   tau_max_at_mV [mV]: where that is
//   temperature_degC [degC]: temperature of these numbers
//   note: why some of them are absent
//   n_models: models that define the mechanism
//   models: their keys
//   species: species that these models are about
//   regions: regions that these models are about
//   mechanism_uid: identity of the mechanism
MATCH (m:Model {status: 'current'})-[d:DEFINES]->(x:Mechanism)
WHERE $model IN ['', m.key] AND toLower(coalesce(d.id, '')) CONTAINS toLower($mechanism)
  AND ($ion = '' OR x.ion = $ion OR $ion IN x.ions_written)
WITH DISTINCT x
UNWIND range(0, size(coalesce(x.gate_names, [])) - 1) AS i
WITH x, i, x.gate_names[i] AS gate, x.gate_v_half_mV[i] AS v_half, x.gate_slope_mV[i] AS slope,
     x.gate_tau_max_ms[i] AS tau, x.gate_tau_max_at_mV[i] AS tau_at
WHERE $gate = '' OR toLower(gate) = toLower($gate)
WITH x, i, gate, CASE WHEN v_half = v_half THEN v_half END AS v_half,
     CASE WHEN slope = slope THEN slope END AS slope, CASE WHEN tau = tau THEN tau END AS tau,
     CASE WHEN tau_at = tau_at THEN tau_at END AS tau_at
ORDER BY x.name, x.uid, i
LIMIT $limit
WITH x, i, gate, v_half, slope, tau, tau_at,
     COLLECT { MATCH (h:Model {status: 'current'})-[:DEFINES]->(x) RETURN DISTINCT h } AS holders
RETURN x.name AS mechanism,
       coalesce(x.ion, reduce(ions = null, one IN x.ions_written |
         coalesce(ions + '+' + one, one))) AS ion,
       gate,
       CASE WHEN slope > 0 THEN 'depolarisation' WHEN slope < 0 THEN 'hyperpolarisation'
       END AS opens_on,
       v_half AS v_half_mV,
       slope AS slope_mV,
       CASE WHEN x.gate_instances[i] > 0 THEN x.gate_instances[i] END AS exponent,
       tau AS tau_max_ms,
       tau_at AS tau_max_at_mV,
       x.kinetics_temperature_degC AS temperature_degC,
       x.kinetics_note AS note,
       size(holders) AS n_models,
       COLLECT { UNWIND holders AS h RETURN h.key ORDER BY h.key } AS models,
       COLLECT {
         UNWIND holders AS h
         MATCH (h)-[:ABOUT]->(t:Term {kind: 'species'})
         RETURN DISTINCT t.name AS name ORDER BY name
       } AS species,
       COLLECT {
         UNWIND holders AS h
         MATCH (h)-[:ABOUT]->(t:Term {kind: 'region'})
         RETURN DISTINCT t.name AS name ORDER BY name
       } AS regions,
       x.uid AS mechanism_uid
ORDER BY mechanism, mechanism_uid, i
