DROP TABLE release_withdrawals;
DROP TABLE release_approvals;
DROP TABLE release_atoms;
DROP TABLE releases;
DROP FUNCTION refuse_release_change();
