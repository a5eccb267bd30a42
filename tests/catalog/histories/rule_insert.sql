CREATE TABLE t (id int, c int);
CREATE TABLE o (id int, t_id int);
CREATE RULE r AS ON UPDATE TO t DO ALSO INSERT INTO o VALUES (NEW.id, OLD.c);
