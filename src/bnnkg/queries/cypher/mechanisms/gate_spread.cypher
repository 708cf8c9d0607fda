// How far do models agree on where and how fast the gates of a channel open?
//
// Each distinct mechanism counts once, however many models copy it. Its gates are evaluated at the
// temperature that its file gives; the range of these is told. A spread is absent for fewer than
// two values.
//
// Parameters:
//   mechanism (string = ""): part of a name that a model gives it, in any case; empty for all
//   ion (string = ""): ion that it carries; empty for all
//   family_by (string = "name"): what makes a family: name, or ion
//   min_variants (integer = 1): least number of distinct mechanisms
//   limit (integer = 100): rows
// Columns:
//   family: name in lower case, or ion
//   gate: name of the gate
//   opens_on: depolarisation or hyperpolarisation
//   n_variants: distinct mechanisms
//   n_models: models that define one of them
//   v_half_mean_mV [mV]: mean of where the steady states are half way
//   v_half_sd_mV [mV]: their standard deviation
//   v_half_min_mV [mV]: least
//   v_half_max_mV [mV]: greatest
//   slope_mean_mV [mV]: mean Boltzmann slope
//   slope_sd_mV [mV]: their standard deviation
//   n_tau: variants with a time constant
//   tau_max_mean_ms [ms]: mean of the longest time constants
//   tau_max_sd_ms [ms]: their standard deviation
//   temperature_min_degC [degC]: least temperature of these numbers
//   temperature_max_degC [degC]: greatest
MATCH (m:Model {status: 'current'})-[d:DEFINES]->(x:Mechanism)
WHERE toLower(coalesce(d.id, '')) CONTAINS toLower($mechanism)
  AND ($ion = '' OR x.ion = $ion OR $ion IN x.ions_written)
WITH DISTINCT x,
     CASE $family_by WHEN 'ion' THEN coalesce(x.ion, reduce(ions = null, one IN x.ions_written |
       coalesce(ions + '+' + one, one)), 'none') ELSE toLower(x.name) END AS family
UNWIND range(0, size(coalesce(x.gate_v_half_mV, [])) - 1) AS i
WITH x, family, x.gate_names[i] AS gate, x.gate_v_half_mV[i] AS v_half, x.gate_slope_mV[i] AS slope,
     x.gate_tau_max_ms[i] AS tau
WHERE v_half = v_half AND slope = slope
WITH family, gate, CASE WHEN slope > 0 THEN 'depolarisation' ELSE 'hyperpolarisation' END AS opens_on,
     x, v_half, slope, CASE WHEN tau = tau THEN tau END AS tau
WITH family, gate, opens_on, collect(x) AS variants, count(v_half) AS n,
     avg(v_half) AS v_half, stDev(v_half) AS v_half_sd, min(v_half) AS least,
     max(v_half) AS greatest, avg(slope) AS slope, stDev(slope) AS slope_sd,
     count(tau) AS n_tau, avg(tau) AS tau, stDev(tau) AS tau_sd,
     min(x.kinetics_temperature_degC) AS coldest, max(x.kinetics_temperature_degC) AS warmest
WHERE n >= $min_variants
RETURN family,
       gate,
       opens_on,
       n AS n_variants,
       COUNT {
         UNWIND variants AS x
         MATCH (h:Model {status: 'current'})-[:DEFINES]->(x)
         RETURN DISTINCT h
       } AS n_models,
       v_half AS v_half_mean_mV,
       CASE WHEN n > 1 THEN v_half_sd END AS v_half_sd_mV,
       least AS v_half_min_mV,
       greatest AS v_half_max_mV,
       slope AS slope_mean_mV,
       CASE WHEN n > 1 THEN slope_sd END AS slope_sd_mV,
       n_tau,
       tau AS tau_max_mean_ms,
       CASE WHEN n_tau > 1 THEN tau_sd END AS tau_max_sd_ms,
       coldest AS temperature_min_degC,
       warmest AS temperature_max_degC
ORDER BY n_variants DESC, family, gate, opens_on
LIMIT $limit
