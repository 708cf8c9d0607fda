// Which way does a signal take from a section to the soma?
//
// A cell whose sections include no soma is followed to its root.
//
// Parameters:
//   cell (string): name of the Cell
//   compartment (integer): index of the section where the path starts
//   model (string = ""): key of a Model that defines the cell; empty for any
// Columns:
//   cell: name of the cell
//   step: number of sections from the start
//   compartment: index of the section
//   kind: soma, dendrite, axon or other
//   length_um [um]: length of the section
//   diameter_um [um]: mean diameter
//   path_distance_um [um]: path from the root to the middle of the section
//   branch_order: branch points between the root and the section
//   cell_uid: identity of the cell
MATCH (cell:Cell {name: $cell})
WHERE EXISTS { MATCH (m:Model {status: 'current'})-[:DEFINES]->(cell) WHERE $model IN ['', m.key] }
MATCH (cell)-[:HAS_COMPARTMENT]->(start:Compartment {index: $compartment})
WITH cell, start, EXISTS { (cell)-[:HAS_COMPARTMENT]->(:Compartment {kind: 'soma'}) } AS has_soma
MATCH path = SHORTEST 1 (start)-[:CHILD_OF]-*(goal:Compartment)
WHERE CASE WHEN has_soma THEN goal.kind = 'soma' ELSE NOT EXISTS { (goal)-[:CHILD_OF]->() } END
WITH cell, path, goal
ORDER BY length(path), goal.index
WITH cell, head(collect(nodes(path))) AS sections
UNWIND range(0, size(sections) - 1) AS step
WITH cell, step, sections[step] AS section
RETURN cell.name AS cell,
       step,
       section.index AS compartment,
       section.kind AS kind,
       section.length_um AS length_um,
       section.diameter_um AS diameter_um,
       section.path_distance_um AS path_distance_um,
       section.branch_order AS branch_order,
       cell.uid AS cell_uid
ORDER BY cell_uid, step
