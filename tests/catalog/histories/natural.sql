CREATE TABLE t (d int, id int);
CREATE TABLE o (c text, id int, t_id int);
CREATE VIEW natural_view AS SELECT * FROM o NATURAL JOIN (SELECT id, d FROM t) s;
