// Which runs have written their attention on the graph, and how good were they?
//
// Parameters:
//   model (string = ""): key of a Model that the run annotates; empty for any
//   limit (integer = 100): rows
// Columns:
//   name: name that ends the run's properties; empty for the unnamed run
//   run: id of the run in the catalogue
//   status: writing or current
//   models: keys of the models that it annotates
//   metric: what the held-out score measures
//   held_out: held-out score, mean over seeds
//   held_out_sd: its spread over seeds
//   chance: upper 95% of the permutation null
//   passed: whether the score is above chance
//   forced: written although it is not
//   agreement: rank correlation of the lift between seeds, mean over pairs
//   seeds: seeds whose scores were averaged
//   split: how held-out data were chosen
//   score_method: how attention_score was computed
//   saw: what the run had as inputs: no correlation with these is a finding
MATCH (r:AttentionRun)
WITH r, COLLECT {
  MATCH (r)-[:ANNOTATES]->(m:Model {status: 'current'}) RETURN m.key ORDER BY m.key
} AS models
WHERE $model = '' OR $model IN models
RETURN r.name AS name,
       r.run AS run,
       r.status AS status,
       models,
       r.metric AS metric,
       r.held_out AS held_out,
       r.held_out_sd AS held_out_sd,
       r.chance AS chance,
       r.passed AS passed,
       r.forced AS forced,
       r.agreement AS agreement,
       r.seeds AS seeds,
       r.split AS split,
       r.score_method AS score_method,
       coalesce(r.saw, []) AS saw
ORDER BY name, r.uid
LIMIT $limit
