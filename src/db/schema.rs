//! The tables, as `migrations/` makes them on both engines; a test compares the two trees.

#![expect(missing_docs, reason = "the migrations say what each table and column is for")]

diesel::table! {
    use diesel::sql_types::{Binary, Text};

    instance_keys (purpose) {
        purpose -> Text,
        wrapped -> Binary,
        kek_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::db::dialect::DbUuid;

    data_keys (id) {
        id -> DbUuid,
        wrapped -> Binary,
        kek_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::db::dialect::DbUuid;

    sealed (id) {
        id -> BigInt,
        owner_kind -> Text,
        owner_id -> DbUuid,
        part -> Text,
        version -> Integer,
        key_id -> Nullable<DbUuid>,
        blob -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    incidents (id) {
        id -> BigInt,
        uuid -> DbUuid,
        version -> Integer,
        status -> Text,
        merged_into -> Nullable<BigInt>,
        opened_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Date, Integer, Nullable, SmallInt, Text};

    incident_facts (incident_id) {
        incident_id -> BigInt,
        country -> Text,
        country_computed -> Nullable<Text>,
        admin1 -> Nullable<Text>,
        admin2 -> Nullable<Text>,
        zone -> Nullable<Text>,
        geo_precision -> Text,
        cell5 -> Nullable<BigInt>,
        place_lon_e6 -> Nullable<Integer>,
        place_lat_e6 -> Nullable<Integer>,
        cell7_veiled -> Nullable<Binary>,
        site_veiled -> Nullable<Binary>,
        site_distance -> Nullable<Text>,
        boundary_source -> Nullable<Text>,
        first_day -> Nullable<Date>,
        last_day -> Nullable<Date>,
        date_precision -> Nullable<Text>,
        severity -> Nullable<SmallInt>,
        mining_mode -> Nullable<Text>,
        flags -> Text,
        channels -> Text,
        n_reports -> Integer,
        is_test -> Bool,
        is_mismatch -> Bool,
        is_ongoing -> Bool,
        is_at_risk -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Text};

    incident_categories (incident_id, position) {
        incident_id -> BigInt,
        position -> Integer,
        code -> Text,
        is_confirmed -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Text};

    incident_harm (incident_id, measure, sex_age) {
        incident_id -> BigInt,
        measure -> Text,
        sex_age -> Text,
        min_count -> Integer,
        max_count -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    incident_actors (incident_id, actor_type) {
        incident_id -> BigInt,
        actor_type -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    incident_overrides (incident_id, field) {
        incident_id -> BigInt,
        field -> Text,
        value -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Date, Integer, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    reports (id) {
        id -> BigInt,
        uuid -> DbUuid,
        incident_id -> BigInt,
        home_incident_id -> BigInt,
        state -> Text,
        revision -> Integer,
        follows -> Nullable<DbUuid>,
        channel -> Text,
        submitter -> Nullable<Binary>,
        content_mac -> Binary,
        retry_key -> Nullable<Binary>,
        reference -> Text,
        received_at -> Timestamp,
        country -> Text,
        country_computed -> Nullable<Text>,
        admin1 -> Nullable<Text>,
        zone -> Nullable<Text>,
        geo_precision -> Text,
        cell5 -> Nullable<BigInt>,
        place_lon_e6 -> Nullable<Integer>,
        place_lat_e6 -> Nullable<Integer>,
        cell7_veiled -> Nullable<Binary>,
        site_veiled -> Nullable<Binary>,
        site_distance -> Nullable<Text>,
        boundary_source -> Nullable<Text>,
        first_day -> Nullable<Date>,
        last_day -> Nullable<Date>,
        date_precision -> Nullable<Text>,
        flags -> Text,
        codes -> Text,
        admin2 -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    decisions (id) {
        id -> BigInt,
        uuid -> DbUuid,
        incident_id -> BigInt,
        version -> Integer,
        decided_by -> Nullable<DbUuid>,
        decided_at -> Timestamp,
        from_status -> Text,
        to_status -> Text,
        fields -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    quarantined (id) {
        id -> BigInt,
        uuid -> DbUuid,
        report_uuid -> DbUuid,
        cause -> Text,
        channel -> Text,
        submitter -> Nullable<Binary>,
        content_mac -> Binary,
        country -> Text,
        country_told -> Text,
        received_at -> Timestamp,
        state -> Text,
        decided_by -> Nullable<DbUuid>,
        decided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Integer, SmallInt, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    boundary_packs (country, level) {
        country -> Text,
        level -> SmallInt,
        import_id -> DbUuid,
        source -> Text,
        year -> Integer,
        licence -> Text,
        file_sha256 -> Binary,
        n_areas -> Integer,
        imported_at -> Timestamp,
        content -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    heads (name) {
        name -> Text,
        seq -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    changes (seq, incident_id, kind) {
        seq -> BigInt,
        incident_id -> BigInt,
        kind -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Timestamp};
    use crate::db::dialect::DbUuid;

    users (id) {
        id -> BigInt,
        uuid -> DbUuid,
        name_index -> Binary,
        created_at -> Timestamp,
        disabled_at -> Nullable<Timestamp>,
        organisation_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    grants (id) {
        id -> BigInt,
        uuid -> DbUuid,
        user_id -> BigInt,
        role -> Text,
        scope_kind -> Text,
        scope_value -> Text,
        valid_from -> Timestamp,
        valid_until -> Nullable<Timestamp>,
        granted_by -> Nullable<DbUuid>,
        created_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    tokens (id) {
        id -> BigInt,
        uuid -> DbUuid,
        user_id -> BigInt,
        hash -> Binary,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        actions -> Nullable<Text>,
        scope -> Nullable<Text>,
        may_reveal -> Bool,
        is_feed -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    devices (id) {
        id -> BigInt,
        uuid -> DbUuid,
        name_index -> Binary,
        country -> Text,
        owner_id -> Nullable<BigInt>,
        organisation -> Nullable<Text>,
        hash -> Binary,
        created_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        organisation_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    unchained_audit_entries (id) {
        id -> BigInt,
        at -> Timestamp,
        actor -> Nullable<DbUuid>,
        action -> Text,
        subject_kind -> Text,
        subject_id -> DbUuid,
        detail -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    audit_entries (chain, position) {
        chain -> Integer,
        position -> BigInt,
        at -> Timestamp,
        actor -> Nullable<DbUuid>,
        action -> Text,
        subject_kind -> Text,
        subject_id -> DbUuid,
        domain -> Text,
        detail -> Text,
        country -> Nullable<Text>,
        country_other -> Nullable<Text>,
        chained -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Timestamp};

    audit_chains (chain) {
        chain -> Integer,
        size -> BigInt,
        peaks -> Binary,
        root -> Binary,
        chained -> Binary,
        signed_at -> Timestamp,
        signature -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    organisations (id) {
        id -> BigInt,
        uuid -> DbUuid,
        name -> Text,
        country -> Nullable<Text>,
        membership -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::Text;

    regions (code) {
        code -> Text,
        name_en -> Text,
        name_fr -> Text,
        level -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::Text;

    region_countries (region, country) {
        region -> Text,
        country -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    grant_tags (grant_id, tag) {
        grant_id -> BigInt,
        tag -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Timestamp};
    use crate::db::dialect::DbUuid;

    invitations (id) {
        id -> BigInt,
        uuid -> DbUuid,
        user_id -> BigInt,
        hash -> Binary,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text, Timestamp};

    setup_links (name) {
        name -> Text,
        hash -> Binary,
        created_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    reveals (id) {
        id -> BigInt,
        uuid -> DbUuid,
        incident_id -> BigInt,
        revealed_by -> DbUuid,
        revealed_at -> Timestamp,
        parts -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Timestamp};
    use crate::db::dialect::DbUuid;

    incident_relations (id) {
        id -> BigInt,
        uuid -> DbUuid,
        one_id -> BigInt,
        other_id -> BigInt,
        related_by -> DbUuid,
        related_at -> Timestamp,
        unrelated_by -> Nullable<DbUuid>,
        unrelated_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text, Timestamp};

    passwords (user_id) {
        user_id -> BigInt,
        hash -> Text,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Timestamp};

    second_factors (user_id) {
        user_id -> BigInt,
        version -> Nullable<Integer>,
        pending_version -> Nullable<Integer>,
        confirmed_at -> Nullable<Timestamp>,
        last_step -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Timestamp};

    recovery_codes (hash) {
        hash -> Binary,
        user_id -> BigInt,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Timestamp};
    use crate::db::dialect::DbUuid;

    sessions (id) {
        id -> BigInt,
        uuid -> DbUuid,
        user_id -> BigInt,
        hash -> Binary,
        created_at -> Timestamp,
        seen_at -> Timestamp,
        expires_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        has_second_factor -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Integer, Nullable, Timestamp};

    sign_in_failures (bucket) {
        bucket -> Binary,
        n_guesses -> Integer,
        counted_at -> Timestamp,
        next_at -> Timestamp,
        forgotten_at -> Timestamp,
        failed_at -> Nullable<Timestamp>,
    }
}

diesel::joinable!(incident_facts -> incidents (incident_id));
diesel::joinable!(incident_categories -> incidents (incident_id));
diesel::joinable!(incident_harm -> incidents (incident_id));
diesel::joinable!(incident_actors -> incidents (incident_id));
diesel::joinable!(reports -> incidents (incident_id));
diesel::joinable!(decisions -> incidents (incident_id));
diesel::joinable!(sealed -> data_keys (key_id));
diesel::joinable!(tokens -> users (user_id));
diesel::joinable!(grants -> users (user_id));
diesel::joinable!(grant_tags -> grants (grant_id));
diesel::joinable!(invitations -> users (user_id));
diesel::joinable!(users -> organisations (organisation_id));
diesel::joinable!(reveals -> incidents (incident_id));
diesel::joinable!(passwords -> users (user_id));
diesel::joinable!(second_factors -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    instance_keys,
    data_keys,
    sealed,
    incidents,
    incident_facts,
    incident_categories,
    incident_harm,
    incident_actors,
    incident_overrides,
    reports,
    decisions,
    quarantined,
    boundary_packs,
    heads,
    changes,
    users,
    grants,
    tokens,
    devices,
    unchained_audit_entries,
    audit_entries,
    audit_chains,
    organisations,
    regions,
    region_countries,
    grant_tags,
    invitations,
    setup_links,
    reveals,
    incident_relations,
    passwords,
    second_factors,
    recovery_codes,
    sessions,
    sign_in_failures,
);

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text, Timestamp};

    key_rotations (old_id) {
        old_id -> Text,
        new_id -> Text,
        state -> Text,
        new_by_old -> Nullable<Binary>,
        old_by_new -> Nullable<Binary>,
        begun_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Text, Timestamp};

    report_revisions (report_id, revision) {
        report_id -> BigInt,
        revision -> Integer,
        content_mac -> Binary,
        channel -> Text,
        received_at -> Timestamp,
        facts -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, SmallInt, Text};

    report_grades (report_id) {
        report_id -> BigInt,
        source_reliability -> Text,
        info_credibility -> SmallInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};

    override_history (incident_id, version, field) {
        incident_id -> BigInt,
        version -> Integer,
        field -> Text,
        value -> Nullable<Text>,
    }
}

diesel::joinable!(report_revisions -> reports (report_id));
diesel::joinable!(report_grades -> reports (report_id));
diesel::allow_tables_to_appear_in_same_query!(report_revisions, reports);
diesel::allow_tables_to_appear_in_same_query!(report_grades, reports);

diesel::table! {
    use diesel::sql_types::{BigInt, Timestamp};
    use crate::db::dialect::DbUuid;

    incident_claims (incident_id) {
        incident_id -> BigInt,
        held_by -> DbUuid,
        since -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Timestamp};
    use crate::db::dialect::DbUuid;

    incident_assignees (incident_id) {
        incident_id -> BigInt,
        assignee -> DbUuid,
        assigned_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    case_moves (id) {
        id -> BigInt,
        uuid -> DbUuid,
        incident_id -> BigInt,
        kind -> Text,
        from_user -> Nullable<DbUuid>,
        to_user -> Nullable<DbUuid>,
        moved_by -> DbUuid,
        moved_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Timestamp};
    use crate::db::dialect::DbUuid;

    bulk_rejections (id) {
        id -> BigInt,
        uuid -> DbUuid,
        rejected_by -> DbUuid,
        rejected_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer};

    bulk_rejected (rejection_id, incident_id) {
        rejection_id -> BigInt,
        incident_id -> BigInt,
        version -> Integer,
    }
}

diesel::joinable!(incident_claims -> incidents (incident_id));
diesel::joinable!(incident_assignees -> incidents (incident_id));
diesel::joinable!(bulk_rejected -> incidents (incident_id));
diesel::joinable!(bulk_rejected -> bulk_rejections (rejection_id));
diesel::allow_tables_to_appear_in_same_query!(incident_claims, incidents);
diesel::allow_tables_to_appear_in_same_query!(incident_claims, incident_facts);
diesel::allow_tables_to_appear_in_same_query!(incident_claims, users);
diesel::allow_tables_to_appear_in_same_query!(incident_assignees, incidents);
diesel::allow_tables_to_appear_in_same_query!(incident_assignees, incident_facts);
diesel::allow_tables_to_appear_in_same_query!(incident_assignees, users);
diesel::allow_tables_to_appear_in_same_query!(bulk_rejected, incidents);
diesel::allow_tables_to_appear_in_same_query!(bulk_rejected, incident_facts);
diesel::allow_tables_to_appear_in_same_query!(bulk_rejected, bulk_rejections);

diesel::table! {
    use diesel::sql_types::{BigInt, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    regroupings (id) {
        id -> BigInt,
        uuid -> DbUuid,
        kind -> Text,
        incident_id -> BigInt,
        done_by -> DbUuid,
        done_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;

    regrouped_reports (report_id, regrouping_id) {
        regrouping_id -> BigInt,
        report_id -> BigInt,
        from_incident_id -> BigInt,
        to_incident_id -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer};

    regrouped_incidents (incident_id, version) {
        regrouping_id -> BigInt,
        incident_id -> BigInt,
        version -> Integer,
    }
}

diesel::joinable!(regrouped_reports -> regroupings (regrouping_id));
diesel::joinable!(regrouped_reports -> reports (report_id));
diesel::joinable!(regrouped_incidents -> regroupings (regrouping_id));
diesel::allow_tables_to_appear_in_same_query!(regroupings, regrouped_reports);
diesel::allow_tables_to_appear_in_same_query!(regroupings, regrouped_incidents);
diesel::allow_tables_to_appear_in_same_query!(regrouped_reports, regrouped_incidents);
diesel::allow_tables_to_appear_in_same_query!(regrouped_reports, reports);
diesel::allow_tables_to_appear_in_same_query!(regrouped_incidents, decisions);

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};

    incident_departures (id) {
        id -> BigInt,
        incident_id -> BigInt,
        country -> Text,
        seq -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    webhooks (id) {
        id -> BigInt,
        uuid -> DbUuid,
        owner_id -> BigInt,
        scope -> Text,
        kinds -> Text,
        state -> Text,
        position -> BigInt,
        address_version -> Integer,
        secret_version -> Integer,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        failed_at -> Nullable<Timestamp>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    outbox (id) {
        id -> BigInt,
        webhook_id -> BigInt,
        event -> DbUuid,
        seq -> BigInt,
        country -> Text,
        country_other -> Nullable<Text>,
        body -> Text,
        state -> Text,
        n_tries -> Integer,
        next_at -> Timestamp,
        done_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamp};

    notices (user_id) {
        user_id -> BigInt,
        language -> Text,
        address_version -> Integer,
        wanted_at -> Nullable<Timestamp>,
        is_urgent -> Bool,
        taken_at -> Nullable<Timestamp>,
        n_tries -> Integer,
        next_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        failed_at -> Nullable<Timestamp>,
        asked_at -> Nullable<Timestamp>,
    }
}

diesel::joinable!(incident_departures -> incidents (incident_id));
diesel::joinable!(webhooks -> users (owner_id));
diesel::joinable!(outbox -> webhooks (webhook_id));
diesel::joinable!(notices -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(incident_departures, incidents);
diesel::allow_tables_to_appear_in_same_query!(outbox, webhooks, users);
diesel::allow_tables_to_appear_in_same_query!(notices, users);

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Timestamp};
    use crate::db::dialect::DbUuid;

    messages (id) {
        id -> BigInt,
        uuid -> DbUuid,
        report_id -> BigInt,
        incident_id -> BigInt,
        version -> Integer,
        question_id -> Nullable<BigInt>,
        asked_by -> Nullable<DbUuid>,
        sent_at -> Timestamp,
        answered_at -> Nullable<Timestamp>,
    }
}

diesel::joinable!(messages -> reports (report_id));
diesel::allow_tables_to_appear_in_same_query!(messages, reports);
diesel::allow_tables_to_appear_in_same_query!(messages, incidents);

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};

    report_changes (id) {
        id -> BigInt,
        report_id -> BigInt,
        incident_id -> BigInt,
        version -> Integer,
        kind -> Text,
        changed_at -> Timestamp,
        revision -> Integer,
        state -> Text,
        facts -> Nullable<Text>,
    }
}

diesel::joinable!(report_changes -> reports (report_id));
diesel::allow_tables_to_appear_in_same_query!(report_changes, reports);
diesel::allow_tables_to_appear_in_same_query!(report_changes, decisions);
diesel::allow_tables_to_appear_in_same_query!(messages, decisions);

diesel::table! {
    use diesel::sql_types::{BigInt, Date, Text};

    duplicate_blocks (incident_id, block) {
        incident_id -> BigInt,
        block -> Text,
        first_day -> Date,
        last_day -> Date,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, SmallInt, Timestamp};

    duplicate_pairs (low_id, high_id) {
        low_id -> BigInt,
        high_id -> BigInt,
        score -> SmallInt,
        figures_veiled -> Binary,
        rules -> SmallInt,
        computed_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;

    duplicate_floods (incident_id) {
        incident_id -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Timestamp};
    use crate::db::dialect::DbUuid;

    duplicate_dismissals (id) {
        id -> BigInt,
        uuid -> DbUuid,
        low_id -> BigInt,
        high_id -> BigInt,
        dismissed_by -> DbUuid,
        dismissed_at -> Timestamp,
        undone_by -> Nullable<DbUuid>,
        undone_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    duplicate_turns (name) {
        name -> Text,
        seq -> BigInt,
        incident_id -> BigInt,
        held_by -> Nullable<DbUuid>,
        held_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    export_jobs (id) {
        id -> BigInt,
        uuid -> DbUuid,
        asked_by -> DbUuid,
        file_name -> Text,
        media_type -> Text,
        told -> Text,
        scope -> Text,
        exact -> Text,
        state -> Text,
        n_pieces -> Integer,
        n_rows -> BigInt,
        n_bytes -> BigInt,
        sha256 -> Nullable<Binary>,
        created_at -> Timestamp,
        touched_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    releases (id) {
        id -> BigInt,
        uuid -> DbUuid,
        first_month -> Text,
        last_month -> Text,
        k -> Integer,
        senders -> Integer,
        based_on -> Nullable<BigInt>,
        built_by -> DbUuid,
        built_at -> Timestamp,
        n_atoms -> Integer,
        sha256 -> Text,
        left_out -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

    release_atoms (release_id, position) {
        release_id -> BigInt,
        position -> Integer,
        country -> Text,
        places -> Text,
        times -> Text,
        categories -> Text,
        incidents -> Nullable<Integer>,
        is_kept -> Bool,
        folded -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Timestamp};
    use crate::db::dialect::DbUuid;

    release_approvals (release_id) {
        release_id -> BigInt,
        version -> Integer,
        approved_by -> DbUuid,
        approved_at -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
    use crate::db::dialect::DbUuid;

    release_withdrawals (id) {
        id -> BigInt,
        uuid -> DbUuid,
        release_id -> BigInt,
        first_month -> Nullable<Text>,
        last_month -> Nullable<Text>,
        withdrawn_by -> DbUuid,
        withdrawn_at -> Timestamp,
    }
}

diesel::joinable!(release_approvals -> releases (release_id));
diesel::allow_tables_to_appear_in_same_query!(releases, release_approvals);
