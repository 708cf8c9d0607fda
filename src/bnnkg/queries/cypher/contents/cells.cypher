// Which cells are there, and what do they look like?
//
// A cell that several models copy stands once.
//
// Parameters:
//   model (string = ""): key of a Model that defines the cell; empty for any
//   min_compartments (integer = 0): least number of sections; 1 leaves out point cells
//   limit (integer = 1000): rows
// Columns:
//   cell: name of the cell
//   cell_class: NeuroML class
//   models: keys of the models that define it
//   n_neurons: its instances in these models
//   n_compartments: unbranched sections; 0 for a point
//   n_segments: segments
//   n_branch_points: sections with two children or more
//   n_tips: sections without children
//   length_um [um]: length of all sections
//   area_um2 [um2]: membrane area of all sections
//   volume_um3 [um3]: volume of all sections
//   max_path_distance_um [um]: longest path from the root to a tip
//   cell_uid: identity of the cell
MATCH (m:Model {status: 'current'})-[:DEFINES]->(cell:Cell)
WHERE $model IN ['', m.key]
WITH cell, collect(DISTINCT m) AS holders
WHERE coalesce(cell.n_compartments, 0) >= $min_compartments
RETURN cell.name AS cell,
       cell.cell_class AS cell_class,
       COLLECT { UNWIND holders AS holder RETURN holder.key ORDER BY holder.key } AS models,
       COUNT {
         MATCH (n:Neuron)-[:INSTANCE_OF]->(cell)
         WHERE n.model_uid IN [holder IN holders | holder.uid]
       } AS n_neurons,
       coalesce(cell.n_compartments, 0) AS n_compartments,
       cell.n_segments AS n_segments,
       cell.n_branch_points AS n_branch_points,
       cell.n_tips AS n_tips,
       cell.length_um AS length_um,
       cell.area_um2 AS area_um2,
       cell.volume_um3 AS volume_um3,
       cell.max_path_distance_um AS max_path_distance_um,
       cell.uid AS cell_uid
ORDER BY n_compartments DESC, cell, cell_uid
LIMIT $limit
