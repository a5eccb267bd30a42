CREATE TABLE t (id int, old_name text, c text);
DO $$ BEGIN ALTER TABLE t ADD COLUMN straight int; CREATE TABLE made (a int); END $$;
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 't' AND column_name = 'guarded') THEN
        ALTER TABLE t ADD COLUMN guarded int;
    END IF;
    IF NOT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 't' AND column_name = 'c') THEN
        ALTER TABLE t ADD COLUMN c int;
    END IF;
    IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='t' AND column_name='old_name') THEN
        ALTER TABLE t RENAME COLUMN old_name TO new_name;
    ELSE
        ALTER TABLE t ADD COLUMN new_name text;
    END IF;
    IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='t' AND column_name='old_name') THEN
        ALTER TABLE t RENAME COLUMN old_name TO wrong;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'kind') THEN
        CREATE TYPE kind AS ENUM ('a', 'b');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'kind') THEN
        CREATE TYPE kind AS ENUM ('c');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 't_positive' AND conrelid = 't'::regclass) THEN
        ALTER TABLE t ADD CONSTRAINT t_positive CHECK (id > 0);
    END IF;
    IF to_regclass('public.made') IS NOT NULL THEN
        ALTER TABLE made ADD COLUMN b int;
    END IF;
    IF to_regclass('nope') IS NOT NULL THEN
        ALTER TABLE nope ADD COLUMN b int;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_indexes WHERE indexname = 't_idx') THEN
        CREATE INDEX t_idx ON t (id);
    END IF;
END
$$ LANGUAGE plpgsql;
DO $outer$ BEGIN
    BEGIN CREATE TYPE other AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL; END;
    BEGIN CREATE TYPE other AS ENUM ('y'); EXCEPTION WHEN duplicate_object THEN RAISE NOTICE 'there'; END;
    BEGIN ALTER TABLE t ADD COLUMN caught int; EXCEPTION WHEN duplicate_column THEN NULL; END;
    EXECUTE 'ALTER TABLE t ADD COLUMN executed int DEFAULT 3';
    EXECUTE format('ALTER TABLE %I ADD COLUMN %I text', 't', 'formatted');
    EXECUTE 'ALTER TABLE t ADD COLUMN ' || 'joined' || ' text';
    EXECUTE $q$CREATE FUNCTION nested() RETURNS int LANGUAGE sql AS 'SELECT 1'$q$;
END $outer$;
DO 'BEGIN ALTER TABLE t ADD COLUMN quoted text DEFAULT ''x''; END';
DO $$ DECLARE q text := 'ALTER TABLE t ADD COLUMN declared int'; BEGIN EXECUTE q; END $$;
BEGIN;
INSERT INTO t (id) VALUES (1);
UPDATE t SET id = 2;
COMMIT;
