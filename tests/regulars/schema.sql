CREATE SCHEMA public;
CREATE FUNCTION public.fold_name(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
SELECT btrim(regexp_replace(translate(
    regexp_replace(normalize(lower($1), NFKD), '[\u0300-\u036f]', '', 'g'),
    'іґє''’ʼ`"%_\\', 'иге'), '[-[:space:].,;:()/|+*&]+', ' ', 'g'))
$_$;
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION public.romanize_name(folded text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
SELECT replace(translate(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace($1,
        'shch', 'ш'), 'sch', 'ш'), 'щ', 'ш'), 'sh', 'ш'), 'tch', 'ч'), 'ch', 'ч'), 'zh', 'ж'), 'kh', 'h'), 'tz', 'ц'),
        'ts', 'ц'), 'ck', 'k'), 'ph', 'f'), 'x', 'ks'), 'ye', 'e'), 'ю', 'iu'), 'я', 'ia'),
    'абвгдезиклмнопрстуфхыэgyjwqcъь',
    'abvhdeziklmnoprstufhiehiivkk'),
    'iia', 'ia')
$_$;
CREATE TABLE public.answer (
    id bigint NOT NULL,
    text character varying(500),
    day date,
    choice smallint,
    via character varying(10) NOT NULL,
    at timestamp with time zone NOT NULL,
    customer_id bigint NOT NULL,
    question_id integer NOT NULL,
    CONSTRAINT answer_one CHECK ((num_nonnulls(text, day, choice) = 1))
);
CREATE SEQUENCE public.answer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.answer_id_seq OWNED BY public.answer.id;
CREATE TABLE public.api_key (
    id integer NOT NULL,
    name character varying(100) NOT NULL,
    prefix character varying(12) NOT NULL,
    secret_hash character varying(64) NOT NULL,
    scopes jsonb NOT NULL,
    location_ids jsonb,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_by_id integer
);
CREATE SEQUENCE public.api_key_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.api_key_id_seq OWNED BY public.api_key.id;
CREATE TABLE public.appointment (
    id bigint NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    business_date date NOT NULL,
    state character varying(9) NOT NULL,
    source character varying(7) NOT NULL,
    tips bigint NOT NULL,
    external_id character varying(64),
    body_hash character varying(64),
    created_at timestamp with time zone NOT NULL,
    created_via character varying(10) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    api_key_id integer,
    created_by_id integer,
    customer_id bigint NOT NULL,
    location_id integer NOT NULL,
    team_member_id integer,
    CONSTRAINT appointment_source CHECK (((source)::text = ANY ((ARRAY['online'::character varying, 'phone'::character varying, 'walk_in'::character varying])::text[]))),
    CONSTRAINT appointment_state CHECK (((state)::text = ANY ((ARRAY['planned'::character varying, 'came'::character varying, 'cancelled'::character varying, 'no_show'::character varying])::text[]))),
    CONSTRAINT appointment_times CHECK ((ends_at > starts_at)),
    CONSTRAINT appointment_tips CHECK ((tips >= 0))
);
CREATE SEQUENCE public.appointment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.appointment_id_seq OWNED BY public.appointment.id;
CREATE TABLE public.appointment_service (
    appointment_id bigint NOT NULL,
    service_id integer NOT NULL
);
CREATE TABLE public.attachment (
    id bigint NOT NULL,
    name character varying(120) NOT NULL,
    mime character varying(100) NOT NULL,
    size integer NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    staff_id integer
);
CREATE SEQUENCE public.attachment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.attachment_id_seq OWNED BY public.attachment.id;
CREATE TABLE public.automation (
    id integer NOT NULL,
    key character varying(60) NOT NULL,
    name character varying(80) NOT NULL,
    trigger character varying(12) NOT NULL,
    params jsonb NOT NULL,
    conditions text NOT NULL,
    steps jsonb NOT NULL,
    is_on boolean NOT NULL,
    since timestamp with time zone,
    place bigint NOT NULL,
    looks_at timestamp with time zone,
    channels character varying(60) NOT NULL,
    acknowledged_version smallint NOT NULL,
    acknowledged_language character varying(2) NOT NULL,
    acknowledged_text text NOT NULL,
    acknowledged_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    acknowledged_by_id integer,
    staff_id integer,
    CONSTRAINT automation_on CHECK (((NOT is_on) OR ((since IS NOT NULL) AND (archived_at IS NULL))))
);
CREATE SEQUENCE public.automation_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.automation_id_seq OWNED BY public.automation.id;
CREATE TABLE public.automation_run (
    id bigint NOT NULL,
    key character varying(60) NOT NULL,
    state character varying(8) NOT NULL,
    step smallint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    tries smallint NOT NULL,
    reason character varying(24),
    outcomes jsonb NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    automation_id integer NOT NULL,
    customer_id bigint NOT NULL,
    CONSTRAINT automation_run_over CHECK ((((state)::text = 'waiting'::text) = (finished_at IS NULL))),
    CONSTRAINT automation_run_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'done'::character varying, 'stopped'::character varying, 'failed'::character varying])::text[])))
);
CREATE SEQUENCE public.automation_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.automation_run_id_seq OWNED BY public.automation_run.id;
CREATE TABLE public.bonus_allocation (
    id bigint NOT NULL,
    amount bigint NOT NULL,
    entry_id bigint NOT NULL,
    lot_id bigint NOT NULL,
    CONSTRAINT bonus_allocation_amount CHECK ((amount <> 0))
);
CREATE SEQUENCE public.bonus_allocation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.bonus_allocation_id_seq OWNED BY public.bonus_allocation.id;
CREATE TABLE public.bonus_entry (
    id bigint NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    kind character varying(12) NOT NULL,
    event character varying(24) NOT NULL,
    operation_id character varying(80) NOT NULL,
    actor_kind character varying(8) NOT NULL,
    at timestamp with time zone NOT NULL,
    business_date date NOT NULL,
    corrects_id bigint,
    customer_id bigint NOT NULL,
    location_id integer,
    receipt_id bigint,
    staff_id integer,
    CONSTRAINT bonus_entry_amount CHECK ((amount <> 0)),
    CONSTRAINT bonus_entry_kind CHECK (((kind)::text = ANY ((ARRAY['earn'::character varying, 'burn'::character varying, 'expire'::character varying, 'reverse_earn'::character varying, 'restore_burn'::character varying, 'adjust'::character varying, 'grant'::character varying, 'merge'::character varying])::text[])))
);
CREATE TABLE public.bonus_entry_comment (
    text character varying(500) NOT NULL,
    entry_id bigint NOT NULL
);
CREATE SEQUENCE public.bonus_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.bonus_entry_id_seq OWNED BY public.bonus_entry.id;
CREATE TABLE public.bonus_lot (
    id bigint NOT NULL,
    amount bigint NOT NULL,
    remaining bigint NOT NULL,
    activates_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    source character varying(12) NOT NULL,
    customer_id bigint NOT NULL,
    entry_id bigint NOT NULL,
    CONSTRAINT bonus_lot_dates CHECK ((expires_at > activates_at)),
    CONSTRAINT bonus_lot_remaining CHECK ((((remaining >= 0) AND (remaining <= amount)) AND (amount > 0)))
)
WITH (fillfactor='80');
CREATE SEQUENCE public.bonus_lot_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.bonus_lot_id_seq OWNED BY public.bonus_lot.id;
CREATE TABLE public.campaign (
    id integer NOT NULL,
    key character varying(60) NOT NULL,
    name character varying(80) NOT NULL,
    topic character varying(10) NOT NULL,
    texts jsonb NOT NULL,
    channels character varying(60) NOT NULL,
    look jsonb,
    state character varying(9) NOT NULL,
    pause_reason character varying(20),
    acknowledged_version smallint NOT NULL,
    acknowledged_language character varying(2) NOT NULL,
    acknowledged_text text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    resumed_at timestamp with time zone NOT NULL,
    resumed_from integer NOT NULL,
    finished_at timestamp with time zone,
    place bigint NOT NULL,
    total integer NOT NULL,
    skipped integer NOT NULL,
    queued integer NOT NULL,
    sent integer NOT NULL,
    delivered integer NOT NULL,
    read integer NOT NULL,
    failed integer NOT NULL,
    unknown integer NOT NULL,
    cancelled integer NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    staff_id integer,
    attachment_id bigint,
    bonus bigint DEFAULT 0 NOT NULL,
    bonus_days smallint DEFAULT 0 NOT NULL,
    buttons jsonb,
    control integer DEFAULT 0 NOT NULL,
    control_bp smallint DEFAULT 0 NOT NULL,
    fallbacks jsonb,
    ids jsonb,
    preferred character varying(60) DEFAULT ''::character varying NOT NULL,
    repeat jsonb,
    report jsonb,
    reported_at timestamp with time zone,
    seed integer DEFAULT 0 NOT NULL,
    send_until timestamp with time zone,
    series_id integer,
    started_at timestamp with time zone,
    starts_at timestamp with time zone,
    template_id integer,
    updated_at timestamp with time zone,
    window_days smallint DEFAULT 0 NOT NULL,
    zone character varying(40) DEFAULT ''::character varying NOT NULL,
    other_texts jsonb,
    prices jsonb,
    CONSTRAINT campaign_figures CHECK ((((control_bp >= 0) AND (control_bp <= 5000)) AND ((window_days >= 0) AND (window_days <= 365)) AND (bonus >= 0) AND (bonus_days >= 0))),
    CONSTRAINT campaign_state CHECK (((state)::text = ANY ((ARRAY['draft'::character varying, 'scheduled'::character varying, 'running'::character varying, 'paused'::character varying, 'finished'::character varying, 'cancelled'::character varying])::text[])))
);
CREATE TABLE public.campaign_click (
    campaign_id integer NOT NULL,
    customer_id bigint NOT NULL,
    button smallint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    clicks integer DEFAULT 1 NOT NULL
);
CREATE SEQUENCE public.campaign_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.campaign_id_seq OWNED BY public.campaign.id;
CREATE TABLE public.canned_reply (
    id integer NOT NULL,
    title character varying(80) NOT NULL,
    text text NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    staff_id integer
);
CREATE SEQUENCE public.canned_reply_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.canned_reply_id_seq OWNED BY public.canned_reply.id;
CREATE TABLE public.card_code_use (
    customer_id bigint NOT NULL,
    step bigint NOT NULL,
    receipt_id bigint NOT NULL
);
CREATE SEQUENCE public.card_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.category (
    id integer NOT NULL,
    name character varying(40) NOT NULL,
    color character varying(8) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    created_by_id integer
);
CREATE SEQUENCE public.category_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.category_id_seq OWNED BY public.category.id;
CREATE TABLE public.channel_link (
    source character varying(40) NOT NULL,
    link character varying(200) NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.channel_pause (
    source character varying(40) NOT NULL,
    paused_until timestamp with time zone NOT NULL,
    reason character varying(20) NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.consent (
    id bigint NOT NULL,
    topic character varying(10) NOT NULL,
    granted boolean NOT NULL,
    source character varying(10) NOT NULL,
    text_version character varying(20) NOT NULL,
    at timestamp with time zone NOT NULL,
    customer_id bigint NOT NULL,
    CONSTRAINT consent_topic CHECK (((topic)::text = ANY ((ARRAY['terms'::character varying, 'marketing'::character varying, 'surveys'::character varying])::text[])))
);
CREATE SEQUENCE public.consent_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.consent_id_seq OWNED BY public.consent.id;
CREATE TABLE public.consent_text (
    id integer NOT NULL,
    topic character varying(10) NOT NULL,
    version smallint CONSTRAINT consent_text_version_not_null1 NOT NULL,
    language character varying(2) NOT NULL,
    text text NOT NULL,
    published_at timestamp with time zone NOT NULL,
    staff_id integer,
    CONSTRAINT consent_text_topic CHECK (((topic)::text = ANY ((ARRAY['terms'::character varying, 'marketing'::character varying])::text[])))
);
CREATE SEQUENCE public.consent_text_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.consent_text_id_seq OWNED BY public.consent_text.id;
CREATE TABLE public.conversation (
    session jsonb NOT NULL,
    waiting_since timestamp with time zone,
    last_message_at timestamp with time zone NOT NULL,
    account_id bigint NOT NULL,
    assignee_id integer,
    heard_at timestamp with time zone,
    staffed_at timestamp with time zone,
    state character varying(6) DEFAULT 'bot'::character varying NOT NULL,
    unread integer DEFAULT 0 NOT NULL,
    CONSTRAINT conversation_state CHECK (((state)::text = ANY ((ARRAY['bot'::character varying, 'open'::character varying, 'closed'::character varying])::text[]))),
    CONSTRAINT conversation_unread CHECK ((unread >= 0))
);
CREATE TABLE public.credit_request (
    id bigint NOT NULL,
    amount bigint NOT NULL,
    comment character varying(500) NOT NULL,
    key character varying(64) NOT NULL,
    state character varying(9) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    customer_id bigint NOT NULL,
    decided_by_id integer,
    entry_id bigint,
    staff_id integer NOT NULL,
    CONSTRAINT credit_request_amount CHECK ((amount > 0)),
    CONSTRAINT credit_request_entry CHECK ((((state)::text = 'approved'::text) = (entry_id IS NOT NULL))),
    CONSTRAINT credit_request_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'approved'::character varying, 'refused'::character varying, 'withdrawn'::character varying])::text[]))),
    CONSTRAINT credit_request_two CHECK ((((state)::text <> 'approved'::text) OR (decided_by_id <> staff_id)))
);
CREATE SEQUENCE public.credit_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.credit_request_id_seq OWNED BY public.credit_request.id;
CREATE TABLE public.customer (
    id bigint NOT NULL,
    name character varying(100) NOT NULL,
    phone character varying(16),
    phone_verified_at timestamp with time zone,
    email character varying(254),
    card_number character varying(8) NOT NULL,
    gender character varying(1),
    birthday date,
    language character varying(2) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_via character varying(10) NOT NULL,
    created_by_id integer,
    home_location_id integer,
    birthday_changes smallint DEFAULT 0 NOT NULL,
    birthday_set_at timestamp with time zone,
    referral_code character varying(12),
    updated_at timestamp with time zone NOT NULL,
    entry_link_id integer,
    deleted_at timestamp with time zone,
    deleted_by_id integer,
    erased_at timestamp with time zone,
    merged_into_id bigint,
    search_name text GENERATED ALWAYS AS ((((' '::text || public.fold_name((name)::text)) || ' '::text) || public.romanize_name(public.fold_name((name)::text)))) STORED NOT NULL,
    CONSTRAINT customer_card_number CHECK (((card_number)::text ~ '^[0-9]{8}$'::text)),
    CONSTRAINT customer_gender CHECK (((gender)::text = ANY ((ARRAY['f'::character varying, 'm'::character varying])::text[]))),
    CONSTRAINT customer_merged CHECK ((merged_into_id <> id)),
    CONSTRAINT customer_phone CHECK (((phone)::text ~ '^\+[0-9]{7,15}$'::text))
);
CREATE TABLE public.customer_category (
    category_id integer NOT NULL,
    customer_id bigint NOT NULL,
    rule_id integer,
    staff_id integer,
    added_at timestamp with time zone NOT NULL
);
CREATE TABLE public.customer_facts (
    created_at timestamp with time zone NOT NULL,
    sold bigint NOT NULL,
    paid bigint NOT NULL,
    receipts integer NOT NULL,
    visits integer NOT NULL,
    first_visit_at timestamp with time zone NOT NULL,
    last_visit_at timestamp with time zone NOT NULL,
    balance bigint NOT NULL,
    debt bigint NOT NULL,
    earned bigint NOT NULL,
    burnt bigint NOT NULL,
    expired bigint NOT NULL,
    tier_id smallint NOT NULL,
    birthday_code smallint NOT NULL,
    customer_id bigint NOT NULL,
    telegram boolean DEFAULT false NOT NULL,
    discount_bp smallint DEFAULT 0 NOT NULL,
    tier_due_at timestamp with time zone,
    tier_until timestamp with time zone,
    whatsapp boolean DEFAULT false NOT NULL,
    email boolean DEFAULT false NOT NULL,
    sms boolean DEFAULT false NOT NULL,
    discount_rule_id integer DEFAULT 0 NOT NULL,
    frequency integer DEFAULT 0 NOT NULL,
    importance_id smallint DEFAULT 0 NOT NULL,
    importance_rule_id integer DEFAULT 0 NOT NULL,
    is_hidden boolean DEFAULT false NOT NULL,
    locations smallint DEFAULT 0 NOT NULL,
    next_booking_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    tips bigint DEFAULT 0 NOT NULL,
    year_days smallint DEFAULT 0 NOT NULL,
    year_first_on date DEFAULT '1970-01-01'::date NOT NULL,
    year_last_on date DEFAULT '1970-01-01'::date NOT NULL,
    nps smallint DEFAULT '-1'::integer NOT NULL,
    nps_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    CONSTRAINT customer_facts_counts CHECK (((debt >= 0) AND (receipts >= 0) AND (visits >= 0) AND ((birthday_code >= 0) AND (birthday_code <= 1231)))),
    CONSTRAINT customer_facts_discount CHECK (((discount_bp >= 0) AND (discount_bp <= 10000))),
    CONSTRAINT customer_facts_nps CHECK (((nps >= '-1'::integer) AND (nps <= 10))),
    CONSTRAINT customer_facts_visits CHECK (((tips >= 0) AND (locations >= 0) AND (year_days >= 0) AND (frequency >= 0)))
)
WITH (fillfactor='70');
CREATE SEQUENCE public.customer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.customer_id_seq OWNED BY public.customer.id;
CREATE TABLE public.customer_location (
    location_id integer NOT NULL,
    customer_id bigint NOT NULL,
    visits integer NOT NULL,
    last_visit_at timestamp with time zone NOT NULL,
    CONSTRAINT customer_location_visits_check CHECK ((visits >= 0))
);
CREATE TABLE public.customer_service (
    service_id integer NOT NULL,
    customer_id bigint NOT NULL,
    visits integer NOT NULL,
    last_visit_at timestamp with time zone NOT NULL,
    CONSTRAINT customer_service_visits_check CHECK ((visits >= 0))
);
CREATE TABLE public.customer_service_category (
    service_category_id integer NOT NULL,
    customer_id bigint NOT NULL,
    visits integer NOT NULL,
    last_visit_at timestamp with time zone NOT NULL,
    CONSTRAINT customer_service_category_visits_check CHECK ((visits >= 0))
);
CREATE TABLE public.customer_team_member (
    team_member_id integer NOT NULL,
    customer_id bigint NOT NULL,
    visits integer NOT NULL,
    last_visit_at timestamp with time zone NOT NULL,
    CONSTRAINT customer_team_member_visits_check CHECK ((visits >= 0))
);
CREATE TABLE public.dashboard_look (
    key character varying(60) NOT NULL,
    figures jsonb NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    milliseconds integer NOT NULL
);
CREATE TABLE public.dialog_text (
    id integer NOT NULL,
    name character varying(24) NOT NULL,
    language character varying(2) NOT NULL,
    text text NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.dialog_text_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.dialog_text_id_seq OWNED BY public.dialog_text.id;
CREATE TABLE public.duplicate_look (
    id integer NOT NULL,
    at timestamp with time zone NOT NULL,
    pairs jsonb NOT NULL
);
CREATE SEQUENCE public.duplicate_look_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.duplicate_look_id_seq OWNED BY public.duplicate_look.id;
CREATE TABLE public.entry_link (
    id integer NOT NULL,
    code character varying(12) NOT NULL,
    name character varying(80) NOT NULL,
    source character varying(40) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    location_id integer,
    staff_id integer
);
CREATE SEQUENCE public.entry_link_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.entry_link_id_seq OWNED BY public.entry_link.id;
CREATE TABLE public.entry_visit (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    account_id bigint NOT NULL,
    link_id integer NOT NULL
);
CREATE SEQUENCE public.entry_visit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.entry_visit_id_seq OWNED BY public.entry_visit.id;
CREATE TABLE public.file_download (
    id bigint NOT NULL,
    by_link boolean NOT NULL,
    at timestamp with time zone NOT NULL,
    export_id integer NOT NULL,
    staff_id integer
);
CREATE SEQUENCE public.file_download_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.file_download_id_seq OWNED BY public.file_download.id;
CREATE TABLE public.file_export (
    id integer NOT NULL,
    key character varying(60) NOT NULL,
    look jsonb,
    chosen jsonb,
    columns jsonb NOT NULL,
    location_ids jsonb,
    shows_phones boolean NOT NULL,
    language character varying(2) NOT NULL,
    email character varying(254) NOT NULL,
    state character varying(9) NOT NULL,
    failure character varying(40),
    total integer NOT NULL,
    rows integer NOT NULL,
    size bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    expires_at timestamp with time zone,
    staff_id integer,
    attempts smallint DEFAULT 0 NOT NULL,
    format character varying(4) DEFAULT 'xlsx'::character varying NOT NULL,
    words jsonb,
    CONSTRAINT file_export_format CHECK (((format)::text = ANY ((ARRAY['xlsx'::character varying, 'csv'::character varying])::text[]))),
    CONSTRAINT file_export_state CHECK (((state)::text = ANY ((ARRAY['queued'::character varying, 'running'::character varying, 'done'::character varying, 'failed'::character varying, 'cancelled'::character varying, 'expired'::character varying])::text[])))
);
CREATE SEQUENCE public.file_export_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.file_export_id_seq OWNED BY public.file_export.id;
CREATE TABLE public.file_export_piece (
    export_id integer NOT NULL,
    number integer NOT NULL,
    body bytea NOT NULL
);
ALTER TABLE ONLY public.file_export_piece ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE public.file_import (
    id integer NOT NULL,
    key character varying(60) NOT NULL,
    kind character varying(16) NOT NULL,
    file_name character varying(120) NOT NULL,
    size integer NOT NULL,
    body bytea,
    state character varying(9) NOT NULL,
    settings jsonb NOT NULL,
    failure character varying(40),
    failure_details jsonb,
    total integer NOT NULL,
    added integer NOT NULL,
    changed integer NOT NULL,
    same integer NOT NULL,
    refused integer NOT NULL,
    place integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    resumed_at timestamp with time zone NOT NULL,
    resumed_from integer NOT NULL,
    finished_at timestamp with time zone,
    undone_at timestamp with time zone,
    read_until timestamp with time zone,
    staff_id integer,
    undone_by_id integer,
    CONSTRAINT file_import_state CHECK (((state)::text = ANY ((ARRAY['reading'::character varying, 'mapping'::character varying, 'checking'::character varying, 'checked'::character varying, 'running'::character varying, 'paused'::character varying, 'done'::character varying, 'cancelled'::character varying, 'failed'::character varying, 'undoing'::character varying, 'undone'::character varying])::text[])))
);
CREATE SEQUENCE public.file_import_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.file_import_id_seq OWNED BY public.file_import.id;
CREATE TABLE public.file_import_row (
    import_id integer NOT NULL,
    number integer NOT NULL,
    cells jsonb NOT NULL,
    expected character varying(7),
    state character varying(7) DEFAULT 'waiting'::character varying NOT NULL,
    reason character varying(40),
    field character varying(40),
    details jsonb,
    customer_id bigint,
    before jsonb,
    CONSTRAINT file_import_row_expected CHECK (((expected)::text = ANY ((ARRAY['added'::character varying, 'changed'::character varying, 'same'::character varying, 'refused'::character varying])::text[]))),
    CONSTRAINT file_import_row_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'added'::character varying, 'changed'::character varying, 'same'::character varying, 'refused'::character varying, 'undone'::character varying])::text[])))
);
CREATE TABLE public.fiscal_claim (
    id bigint NOT NULL,
    fn character varying(16) NOT NULL,
    i bigint NOT NULL,
    fp bigint NOT NULL,
    total bigint NOT NULL,
    sold_at timestamp with time zone NOT NULL,
    source character varying(5) NOT NULL,
    state character varying(8) NOT NULL,
    reason character varying(32),
    created_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    customer_id bigint NOT NULL,
    location_id integer,
    media_id bigint,
    receipt_id bigint,
    staff_id integer,
    CONSTRAINT fiscal_claim_receipt CHECK ((((state)::text = ANY ((ARRAY['approved'::character varying, 'matched'::character varying])::text[])) = (receipt_id IS NOT NULL))),
    CONSTRAINT fiscal_claim_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'approved'::character varying, 'matched'::character varying, 'refused'::character varying])::text[]))),
    CONSTRAINT fiscal_claim_total CHECK ((total > 0))
);
CREATE SEQUENCE public.fiscal_claim_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.fiscal_claim_id_seq OWNED BY public.fiscal_claim.id;
CREATE TABLE public.fiscal_drive (
    fn character varying(16) NOT NULL,
    location_id integer NOT NULL
);
CREATE TABLE public.fiscal_report (
    id bigint NOT NULL,
    fn character varying(16) NOT NULL,
    i bigint NOT NULL,
    fp bigint NOT NULL,
    total bigint NOT NULL,
    sold_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    api_key_id integer,
    location_id integer NOT NULL,
    CONSTRAINT fiscal_report_total CHECK ((total > 0))
);
CREATE SEQUENCE public.fiscal_report_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.fiscal_report_id_seq OWNED BY public.fiscal_report.id;
CREATE TABLE public.hold (
    id bigint NOT NULL,
    source character varying(8) NOT NULL,
    external_id character varying(64) NOT NULL,
    total bigint NOT NULL,
    amount bigint NOT NULL,
    state character varying(10) NOT NULL,
    presence character varying(8),
    code_step bigint,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    body_hash character varying(64) NOT NULL,
    api_key_id integer,
    customer_id bigint NOT NULL,
    location_id integer NOT NULL,
    receipt_id bigint,
    staff_id integer,
    CONSTRAINT hold_amount CHECK (((amount > 0) AND (total > 0))),
    CONSTRAINT hold_receipt CHECK ((((state)::text = 'confirmed'::text) = (receipt_id IS NOT NULL))),
    CONSTRAINT hold_state CHECK (((state)::text = ANY ((ARRAY['asked'::character varying, 'held'::character varying, 'confirmed'::character varying, 'voided'::character varying, 'declined'::character varying, 'lapsed'::character varying])::text[])))
);
CREATE SEQUENCE public.hold_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.hold_id_seq OWNED BY public.hold.id;
CREATE TABLE public.hold_lot (
    hold_id bigint NOT NULL,
    lot_id bigint NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT hold_lot_amount_check CHECK ((amount > 0))
);
CREATE TABLE public.importance_class (
    id smallint NOT NULL,
    name character varying(40) NOT NULL,
    rank smallint NOT NULL,
    archived_at timestamp with time zone
);
CREATE SEQUENCE public.importance_class_id_seq
    AS smallint
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.importance_class_id_seq OWNED BY public.importance_class.id;
CREATE TABLE public.incoming_update (
    id bigint NOT NULL,
    source character varying(40) NOT NULL,
    external_id character varying(160) NOT NULL,
    chat character varying(64),
    body bytea,
    state character varying(8) NOT NULL,
    reason character varying(60),
    received_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    "position" bigint NOT NULL,
    CONSTRAINT incoming_update_state CHECK (((state)::text = ANY ((ARRAY['new'::character varying, 'done'::character varying, 'ignored'::character varying, 'failed'::character varying])::text[])))
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_insert_scale_factor='0.05');
CREATE SEQUENCE public.incoming_update_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.incoming_update_id_seq OWNED BY public.incoming_update.id;
CREATE TABLE public.journal_entry (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_kind character varying(8) NOT NULL,
    action character varying(40) NOT NULL,
    subject_kind character varying(20),
    subject_id bigint,
    details jsonb NOT NULL,
    staff_id integer,
    api_key_id integer
);
CREATE SEQUENCE public.journal_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.journal_entry_id_seq OWNED BY public.journal_entry.id;
CREATE TABLE public.label_rule (
    id integer NOT NULL,
    name character varying(60) NOT NULL,
    target character varying(10) NOT NULL,
    value integer NOT NULL,
    conditions jsonb NOT NULL,
    "position" smallint NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    applied_at timestamp with time zone,
    size integer NOT NULL,
    archived_at timestamp with time zone,
    created_by_id integer,
    CONSTRAINT label_rule_target CHECK (((target)::text = ANY ((ARRAY['category'::character varying, 'discount'::character varying, 'importance'::character varying])::text[])))
);
CREATE SEQUENCE public.label_rule_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.label_rule_id_seq OWNED BY public.label_rule.id;
CREATE TABLE public.link_request (
    id bigint NOT NULL,
    state character varying(8) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    account_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    staff_id integer,
    CONSTRAINT link_request_state CHECK (((state)::text = ANY ((ARRAY['open'::character varying, 'accepted'::character varying, 'refused'::character varying])::text[])))
);
CREATE SEQUENCE public.link_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.link_request_id_seq OWNED BY public.link_request.id;
CREATE TABLE public.location (
    id integer NOT NULL,
    name character varying(100) NOT NULL,
    address character varying(200) NOT NULL,
    time_zone character varying(40) NOT NULL,
    burns_without_code boolean NOT NULL,
    is_open boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    hours jsonb
);
CREATE SEQUENCE public.location_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.location_id_seq OWNED BY public.location.id;
CREATE TABLE public.mass_action (
    id integer NOT NULL,
    key character varying(60) NOT NULL,
    kind character varying(16) NOT NULL,
    params jsonb NOT NULL,
    look jsonb,
    state character varying(9) NOT NULL,
    total integer NOT NULL,
    done integer NOT NULL,
    skipped integer NOT NULL,
    failed integer NOT NULL,
    place bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    resumed_at timestamp with time zone NOT NULL,
    resumed_from integer NOT NULL,
    finished_at timestamp with time zone,
    staff_id integer,
    undo_of_id integer,
    CONSTRAINT mass_action_counts CHECK (((done >= 0) AND (skipped >= 0) AND (failed >= 0) AND (((done + skipped) + failed) <= total))),
    CONSTRAINT mass_action_state CHECK (((state)::text = ANY ((ARRAY['running'::character varying, 'paused'::character varying, 'done'::character varying, 'cancelled'::character varying, 'undoing'::character varying, 'undone'::character varying])::text[])))
);
CREATE SEQUENCE public.mass_action_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.mass_action_id_seq OWNED BY public.mass_action.id;
CREATE TABLE public.mass_action_row (
    action_id integer NOT NULL,
    customer_id bigint NOT NULL,
    state character varying(7) DEFAULT 'waiting'::character varying NOT NULL,
    reason character varying(40),
    before integer,
    by_rule integer,
    at timestamp with time zone,
    CONSTRAINT mass_action_row_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'done'::character varying, 'skipped'::character varying, 'failed'::character varying])::text[])))
);
CREATE TABLE public.media (
    id bigint NOT NULL,
    file_id character varying(200) NOT NULL,
    mime character varying(100) NOT NULL,
    size integer NOT NULL,
    body bytea,
    state character varying(7) NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts smallint NOT NULL,
    message_id bigint NOT NULL,
    name character varying(120) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT media_body CHECK ((((state)::text = 'stored'::text) = (body IS NOT NULL))),
    CONSTRAINT media_state CHECK (((state)::text = ANY ((ARRAY['wanted'::character varying, 'stored'::character varying, 'failed'::character varying])::text[])))
);
CREATE SEQUENCE public.media_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.media_id_seq OWNED BY public.media.id;
CREATE TABLE public.merge (
    id integer NOT NULL,
    moved jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    undone_at timestamp with time zone,
    merged_id bigint NOT NULL,
    staff_id integer,
    survivor_id bigint NOT NULL,
    undone_by_id integer,
    CONSTRAINT merge_two CHECK ((survivor_id <> merged_id))
);
CREATE SEQUENCE public.merge_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.merge_id_seq OWNED BY public.merge.id;
CREATE TABLE public.message (
    id bigint NOT NULL,
    direction character varying(3) NOT NULL,
    kind character varying(24) NOT NULL,
    content jsonb NOT NULL,
    status character varying(9) NOT NULL,
    priority smallint NOT NULL,
    dedupe_key character varying(80),
    external_id character varying(160),
    created_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    attempts smallint NOT NULL,
    reason character varying(60),
    sent_at timestamp with time zone,
    account_id bigint NOT NULL,
    customer_id bigint,
    staff_id integer,
    channel character varying(10) NOT NULL,
    delivered_at timestamp with time zone,
    instead_of_id bigint,
    read_at timestamp with time zone,
    topic character varying(10) DEFAULT 'service'::character varying NOT NULL,
    units smallint,
    CONSTRAINT message_direction CHECK (((direction)::text = ANY ((ARRAY['in'::character varying, 'out'::character varying, 'log'::character varying])::text[]))),
    CONSTRAINT message_due CHECK ((((status)::text <> ALL ((ARRAY['queued'::character varying, 'delayed'::character varying])::text[])) OR (due_at IS NOT NULL))),
    CONSTRAINT message_lease CHECK ((((status)::text = ANY ((ARRAY['leased'::character varying, 'sending'::character varying])::text[])) = (leased_until IS NOT NULL))),
    CONSTRAINT message_status CHECK (((status)::text = ANY ((ARRAY['received'::character varying, 'queued'::character varying, 'delayed'::character varying, 'leased'::character varying, 'sending'::character varying, 'sent'::character varying, 'delivered'::character varying, 'read'::character varying, 'failed'::character varying, 'cancelled'::character varying, 'unknown'::character varying])::text[]))),
    CONSTRAINT message_status_by_direction CHECK ((((direction)::text = 'out'::text) <> ((status)::text = 'received'::text))),
    CONSTRAINT message_topic CHECK (((topic)::text = ANY ((ARRAY['service'::character varying, 'marketing'::character varying, 'surveys'::character varying])::text[])))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_insert_scale_factor='0.05');
CREATE SEQUENCE public.message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.message_id_seq OWNED BY public.message.id;
CREATE TABLE public.message_price (
    channel character varying(10) NOT NULL,
    advertising integer,
    service integer,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT message_price_advertising CHECK (((advertising >= 0) AND (advertising <= 1000000000))),
    CONSTRAINT message_price_service CHECK (((service >= 0) AND (service <= 1000000000)))
);
CREATE TABLE public.message_template (
    id integer NOT NULL,
    name character varying(120) NOT NULL,
    language character varying(8) NOT NULL,
    category character varying(14) NOT NULL,
    body text NOT NULL,
    variables jsonb NOT NULL,
    status character varying(10) NOT NULL,
    reason character varying(200),
    external_id character varying(40),
    kind character varying(24),
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT message_template_category CHECK (((category)::text = ANY ((ARRAY['utility'::character varying, 'marketing'::character varying, 'authentication'::character varying])::text[]))),
    CONSTRAINT message_template_status CHECK (((status)::text = ANY ((ARRAY['draft'::character varying, 'pending'::character varying, 'approved'::character varying, 'rejected'::character varying, 'paused'::character varying, 'disabled'::character varying])::text[])))
);
CREATE SEQUENCE public.message_template_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.message_template_id_seq OWNED BY public.message_template.id;
CREATE TABLE public.message_type (
    name character varying(24) NOT NULL,
    channels character varying(60) NOT NULL,
    own_first boolean NOT NULL,
    texts jsonb NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.messaging (
    id smallint NOT NULL,
    quiet_from smallint NOT NULL,
    quiet_until smallint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    cap_days smallint DEFAULT 7 NOT NULL,
    cap_messages smallint DEFAULT 0 NOT NULL,
    CONSTRAINT messaging_cap CHECK ((((cap_messages >= 0) AND (cap_messages <= 100)) AND ((cap_days >= 1) AND (cap_days <= 90)))),
    CONSTRAINT messaging_hours CHECK ((((quiet_from >= 0) AND (quiet_from <= 23)) AND ((quiet_until >= 0) AND (quiet_until <= 23)))),
    CONSTRAINT messaging_one CHECK ((id = 1))
);
CREATE SEQUENCE public.messaging_id_seq
    AS smallint
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.messaging_id_seq OWNED BY public.messaging.id;
CREATE TABLE public.messenger_account (
    id bigint NOT NULL,
    channel character varying(10) NOT NULL,
    address character varying(254) NOT NULL,
    name character varying(100) NOT NULL,
    username character varying(64),
    language character varying(2) NOT NULL,
    is_active boolean NOT NULL,
    is_default boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    linked_at timestamp with time zone,
    customer_id bigint,
    alias character varying(140),
    inactive_at timestamp with time zone,
    inactive_reason character varying(20),
    phone character varying(16),
    takes_marketing boolean DEFAULT true NOT NULL,
    takes_service boolean DEFAULT true NOT NULL,
    takes_surveys boolean DEFAULT true NOT NULL,
    CONSTRAINT messenger_account_channel CHECK (((channel)::text = ANY ((ARRAY['telegram'::character varying, 'whatsapp'::character varying, 'sms'::character varying, 'email'::character varying])::text[]))),
    CONSTRAINT messenger_account_default CHECK (((NOT is_default) OR (customer_id IS NOT NULL))),
    CONSTRAINT messenger_account_inactive CHECK (((NOT is_active) OR (inactive_reason IS NULL))),
    CONSTRAINT messenger_account_talks CHECK (((NOT is_default) OR ((channel)::text <> ALL ((ARRAY['sms'::character varying, 'email'::character varying])::text[]))))
);
CREATE SEQUENCE public.messenger_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.messenger_account_id_seq OWNED BY public.messenger_account.id;
CREATE TABLE public.note (
    id bigint NOT NULL,
    text text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    edited_at timestamp with time zone,
    deleted_at timestamp with time zone,
    customer_id bigint NOT NULL,
    staff_id integer NOT NULL
);
CREATE SEQUENCE public.note_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.note_id_seq OWNED BY public.note.id;
CREATE TABLE public.once_only_bonus (
    id bigint NOT NULL,
    person character varying(64) NOT NULL,
    kind character varying(12) NOT NULL,
    period character varying(10) NOT NULL,
    entry_id bigint NOT NULL
);
CREATE SEQUENCE public.once_only_bonus_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.once_only_bonus_id_seq OWNED BY public.once_only_bonus.id;
CREATE TABLE public.programme (
    id integer NOT NULL,
    effective_from timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    staff_id integer
);
CREATE SEQUENCE public.programme_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.programme_id_seq OWNED BY public.programme.id;
CREATE TABLE public.proof (
    id integer NOT NULL,
    at timestamp with time zone NOT NULL,
    seconds integer NOT NULL,
    customers bigint NOT NULL,
    entries bigint NOT NULL,
    lots bigint NOT NULL,
    receipts bigint NOT NULL,
    differences jsonb NOT NULL,
    unshown integer NOT NULL
);
CREATE SEQUENCE public.proof_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.proof_id_seq OWNED BY public.proof.id;
CREATE TABLE public.question (
    id integer NOT NULL,
    kind character varying(8) NOT NULL,
    labels jsonb NOT NULL,
    choices jsonb NOT NULL,
    is_required boolean NOT NULL,
    is_asked boolean NOT NULL,
    "position" smallint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT question_kind CHECK (((kind)::text = ANY ((ARRAY['birthday'::character varying, 'gender'::character varying, 'text'::character varying, 'date'::character varying, 'choice'::character varying])::text[])))
);
CREATE SEQUENCE public.question_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.question_id_seq OWNED BY public.question.id;
CREATE TABLE public.receipt (
    id bigint NOT NULL,
    kind character varying(6) NOT NULL,
    source character varying(8) NOT NULL,
    external_id character varying(64) NOT NULL,
    total bigint NOT NULL,
    paid bigint NOT NULL,
    burnt bigint NOT NULL,
    earned bigint NOT NULL,
    refunded bigint NOT NULL,
    awards jsonb NOT NULL,
    presence character varying(8),
    at timestamp with time zone NOT NULL,
    business_date date NOT NULL,
    body_hash character varying(64) NOT NULL,
    answer jsonb NOT NULL,
    customer_id bigint NOT NULL,
    location_id integer NOT NULL,
    original_id bigint,
    staff_id integer,
    api_key_id integer,
    discount bigint DEFAULT 0 NOT NULL,
    fiscal_fn character varying(16),
    fiscal_fp bigint,
    fiscal_i bigint,
    forgiven bigint DEFAULT 0 NOT NULL,
    kept_back bigint DEFAULT 0 NOT NULL,
    programme_id integer,
    promo_code character varying(32),
    tier_id smallint DEFAULT 0 NOT NULL,
    CONSTRAINT receipt_corrections CHECK (((discount >= 0) AND (forgiven >= 0) AND (kept_back >= 0))),
    CONSTRAINT receipt_fiscal CHECK ((((fiscal_fn IS NULL) = (fiscal_i IS NULL)) AND ((fiscal_fn IS NULL) = (fiscal_fp IS NULL)))),
    CONSTRAINT receipt_kind CHECK ((((kind)::text = 'sale'::text) = (original_id IS NULL))),
    CONSTRAINT receipt_sums CHECK (((total > 0) AND (paid >= 0) AND (paid <= total) AND (burnt >= 0) AND (earned >= 0) AND ((refunded >= 0) AND (refunded <= total))))
);
CREATE SEQUENCE public.receipt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.receipt_id_seq OWNED BY public.receipt.id;
CREATE TABLE public.receipt_line (
    receipt_id bigint NOT NULL,
    "position" smallint NOT NULL,
    name character varying(200) NOT NULL,
    sku character varying(64) NOT NULL,
    category character varying(64) NOT NULL,
    total bigint NOT NULL,
    discount bigint NOT NULL,
    burnt bigint NOT NULL,
    earned bigint NOT NULL,
    refunded bigint DEFAULT 0 NOT NULL,
    CONSTRAINT receipt_line_burnt_check CHECK ((burnt >= 0)),
    CONSTRAINT receipt_line_check CHECK (((refunded >= 0) AND (refunded <= total))),
    CONSTRAINT receipt_line_discount_check CHECK ((discount >= 0)),
    CONSTRAINT receipt_line_earned_check CHECK ((earned >= 0)),
    CONSTRAINT receipt_line_total_check CHECK ((total >= 0))
);
CREATE TABLE public.recipient (
    campaign_id integer NOT NULL,
    customer_id bigint NOT NULL,
    state character varying(7) DEFAULT 'waiting'::character varying NOT NULL,
    reason character varying(24),
    account_id bigint,
    message_id bigint,
    variant smallint DEFAULT 0 NOT NULL,
    CONSTRAINT recipient_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'queued'::character varying, 'due'::character varying, 'done'::character varying, 'skipped'::character varying, 'control'::character varying])::text[]))),
    CONSTRAINT recipient_variant CHECK (((variant >= 0) AND (variant <= 2)))
);
CREATE TABLE public.referral (
    created_at timestamp with time zone NOT NULL,
    state character varying(10) NOT NULL,
    reason character varying(24),
    due_at timestamp with time zone,
    entry_id bigint,
    invitee_entry_id bigint,
    receipt_id bigint,
    referrer_id bigint NOT NULL,
    invitee_id bigint NOT NULL,
    CONSTRAINT referral_due CHECK ((((state)::text = 'due'::text) = (due_at IS NOT NULL))),
    CONSTRAINT referral_of_another CHECK ((invitee_id <> referrer_id)),
    CONSTRAINT referral_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'due'::character varying, 'paid'::character varying, 'refused'::character varying, 'undone'::character varying])::text[])))
);
CREATE TABLE public.registration_step (
    id bigint NOT NULL,
    step character varying(20) NOT NULL,
    via character varying(10) NOT NULL,
    at timestamp with time zone NOT NULL,
    customer_id bigint NOT NULL
);
CREATE SEQUENCE public.registration_step_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.registration_step_id_seq OWNED BY public.registration_step.id;
CREATE TABLE public.saved_view (
    id integer NOT NULL,
    name character varying(60) NOT NULL,
    query text NOT NULL,
    is_shared boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    staff_id integer NOT NULL
);
CREATE SEQUENCE public.saved_view_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.saved_view_id_seq OWNED BY public.saved_view.id;
CREATE TABLE public.segment (
    id integer NOT NULL,
    name character varying(60) NOT NULL,
    description character varying(200) NOT NULL,
    is_at_till boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    created_by_id integer,
    conditions jsonb,
    is_exclusion boolean DEFAULT false NOT NULL
);
CREATE SEQUENCE public.segment_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.segment_id_seq OWNED BY public.segment.id;
CREATE TABLE public.segment_member (
    segment_id integer NOT NULL,
    customer_id bigint NOT NULL,
    added_at timestamp with time zone NOT NULL,
    staff_id integer
);
CREATE TABLE public.segment_size (
    id bigint NOT NULL,
    day date NOT NULL,
    size integer NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    segment_id integer NOT NULL
);
CREATE SEQUENCE public.segment_size_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.segment_size_id_seq OWNED BY public.segment_size.id;
CREATE TABLE public.sender_pulse (
    id character varying(40) NOT NULL,
    source character varying(40) NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.service (
    id integer NOT NULL,
    name character varying(200) NOT NULL,
    external_id character varying(64),
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    category_id integer
);
CREATE TABLE public.service_category (
    id integer NOT NULL,
    name character varying(100) NOT NULL,
    external_id character varying(64),
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone
);
CREATE SEQUENCE public.service_category_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.service_category_id_seq OWNED BY public.service_category.id;
CREATE SEQUENCE public.service_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.service_id_seq OWNED BY public.service.id;
CREATE TABLE public.shop (
    id smallint NOT NULL,
    name character varying(100) NOT NULL,
    currency character varying(3) NOT NULL,
    exponent smallint NOT NULL,
    region character varying(2) NOT NULL,
    language character varying(2) NOT NULL,
    time_zone character varying(40) NOT NULL,
    person_key bytea NOT NULL,
    CONSTRAINT shop_exponent CHECK ((exponent = ANY (ARRAY[0, 2, 3]))),
    CONSTRAINT shop_is_one CHECK ((id = 1))
);
CREATE SEQUENCE public.shop_id_seq
    AS smallint
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.shop_id_seq OWNED BY public.shop.id;
CREATE TABLE public.shown_card (
    closes_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    customer_id bigint NOT NULL,
    message_id bigint NOT NULL
);
CREATE TABLE public.staff_chat (
    linked_at timestamp with time zone,
    code_hash character varying(64),
    code_expires_at timestamp with time zone,
    staff_id integer NOT NULL,
    account_id bigint
);
CREATE TABLE public.staff_invitation (
    id integer NOT NULL,
    token_hash character varying(64) NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    staff_id integer NOT NULL
);
CREATE SEQUENCE public.staff_invitation_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.staff_invitation_id_seq OWNED BY public.staff_invitation.id;
CREATE TABLE public.staff_letter (
    id bigint NOT NULL,
    key character varying(60) NOT NULL,
    address character varying(254) NOT NULL,
    subject character varying(200) NOT NULL,
    text text NOT NULL,
    state character varying(7) NOT NULL,
    attempts smallint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    reason character varying(60),
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    staff_id integer NOT NULL,
    CONSTRAINT staff_letter_state CHECK (((state)::text = ANY ((ARRAY['queued'::character varying, 'leased'::character varying, 'sent'::character varying, 'failed'::character varying])::text[])))
);
CREATE SEQUENCE public.staff_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.staff_letter_id_seq OWNED BY public.staff_letter.id;
CREATE TABLE public.staff_location (
    staff_id integer NOT NULL,
    location_id integer NOT NULL
);
CREATE TABLE public.staff_member (
    id integer NOT NULL,
    email character varying(254) NOT NULL,
    name character varying(100) NOT NULL,
    role character varying(16) NOT NULL,
    phone character varying(16),
    language character varying(2),
    password_hash character varying(200),
    sessions_from timestamp with time zone NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    location_id integer,
    CONSTRAINT staff_member_email_lower CHECK (((email)::text = lower((email)::text))),
    CONSTRAINT staff_member_role CHECK (((role)::text = ANY ((ARRAY['owner'::character varying, 'marketer'::character varying, 'cashier'::character varying, 'analyst'::character varying, 'support'::character varying])::text[])))
);
CREATE SEQUENCE public.staff_member_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.staff_member_id_seq OWNED BY public.staff_member.id;
CREATE TABLE public.survey_answer (
    score smallint NOT NULL,
    comment text,
    channel character varying(10) NOT NULL,
    answered_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone,
    commented_at timestamp with time zone,
    cashier_id integer,
    customer_id bigint NOT NULL,
    location_id integer,
    team_member_id integer,
    invitation_id bigint NOT NULL,
    CONSTRAINT survey_answer_score CHECK (((score >= 0) AND (score <= 10)))
);
CREATE TABLE public.survey_invitation (
    id bigint NOT NULL,
    key character varying(60) NOT NULL,
    state character varying(8) NOT NULL,
    reason character varying(24),
    due_at timestamp with time zone NOT NULL,
    asked_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    cashier_id integer,
    customer_id bigint NOT NULL,
    location_id integer,
    message_id bigint,
    receipt_id bigint,
    run_id integer,
    team_member_id integer,
    CONSTRAINT survey_invitation_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'asked'::character varying, 'answered'::character varying, 'skipped'::character varying, 'expired'::character varying])::text[])))
);
CREATE SEQUENCE public.survey_invitation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.survey_invitation_id_seq OWNED BY public.survey_invitation.id;
CREATE TABLE public.survey_programme (
    id smallint NOT NULL,
    is_on boolean NOT NULL,
    delay_hours smallint NOT NULL,
    pause_days smallint NOT NULL,
    minimum bigint NOT NULL,
    location_ids jsonb,
    texts jsonb NOT NULL,
    links jsonb NOT NULL,
    bonus bigint NOT NULL,
    makes_tasks boolean NOT NULL,
    looked_at bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    assignee_id integer,
    CONSTRAINT survey_programme_figures CHECK ((((delay_hours >= 0) AND (delay_hours <= 720)) AND ((pause_days >= 90) AND (pause_days <= 3650)) AND (minimum >= 0) AND (bonus >= 0))),
    CONSTRAINT survey_programme_one CHECK ((id = 1))
);
CREATE SEQUENCE public.survey_programme_id_seq
    AS smallint
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.survey_programme_id_seq OWNED BY public.survey_programme.id;
CREATE TABLE public.survey_run (
    id integer NOT NULL,
    key character varying(60) NOT NULL,
    look jsonb,
    total integer NOT NULL,
    skipped integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    cancelled_at timestamp with time zone,
    staff_id integer
);
CREATE SEQUENCE public.survey_run_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.survey_run_id_seq OWNED BY public.survey_run.id;
CREATE TABLE public.table_layout (
    columns jsonb NOT NULL,
    staff_id integer NOT NULL
);
CREATE TABLE public.task (
    id bigint NOT NULL,
    key character varying(80) NOT NULL,
    title character varying(200) NOT NULL,
    details text DEFAULT ''::text NOT NULL,
    due_at timestamp with time zone,
    remind_at timestamp with time zone,
    reminded_at timestamp with time zone,
    state character varying(9) NOT NULL,
    origin character varying(10) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    assignee_id integer,
    closed_by_id integer,
    created_by_id integer,
    customer_id bigint,
    CONSTRAINT task_closed CHECK ((((state)::text = 'open'::text) = (closed_at IS NULL))),
    CONSTRAINT task_origin CHECK (((origin)::text = ANY ((ARRAY['hand'::character varying, 'inbox'::character varying, 'survey'::character varying, 'automation'::character varying])::text[]))),
    CONSTRAINT task_state CHECK (((state)::text = ANY ((ARRAY['open'::character varying, 'done'::character varying, 'cancelled'::character varying])::text[])))
);
CREATE SEQUENCE public.task_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.task_id_seq OWNED BY public.task.id;
CREATE TABLE public.team_member (
    id integer NOT NULL,
    name character varying(100) NOT NULL,
    "position" character varying(100) NOT NULL,
    external_id character varying(64),
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    location_id integer
);
CREATE SEQUENCE public.team_member_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.team_member_id_seq OWNED BY public.team_member.id;
CREATE TABLE public.tier_change (
    id bigint NOT NULL,
    tier_id smallint NOT NULL,
    previous_tier_id smallint NOT NULL,
    reason character varying(12) NOT NULL,
    at timestamp with time zone NOT NULL,
    customer_id bigint NOT NULL,
    receipt_id bigint,
    staff_id integer
);
CREATE SEQUENCE public.tier_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tier_change_id_seq OWNED BY public.tier_change.id;
CREATE TABLE public.tortoise_migrations (
    id integer NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.tortoise_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tortoise_migrations_id_seq OWNED BY public.tortoise_migrations.id;
CREATE TABLE public.waiting_sale (
    id bigint NOT NULL,
    token character varying(16) NOT NULL,
    phone character varying(16),
    external_id character varying(64) NOT NULL,
    total bigint NOT NULL,
    state character varying(9) NOT NULL,
    reason character varying(32),
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    customer_id bigint,
    location_id integer NOT NULL,
    receipt_id bigint,
    staff_id integer NOT NULL,
    CONSTRAINT waiting_sale_receipt CHECK ((((state)::text = 'credited'::text) = (receipt_id IS NOT NULL))),
    CONSTRAINT waiting_sale_state CHECK (((state)::text = ANY ((ARRAY['waiting'::character varying, 'credited'::character varying, 'withdrawn'::character varying, 'lapsed'::character varying, 'refused'::character varying])::text[]))),
    CONSTRAINT waiting_sale_total CHECK ((total > 0))
);
CREATE SEQUENCE public.waiting_sale_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.waiting_sale_id_seq OWNED BY public.waiting_sale.id;
CREATE TABLE public.webhook_delivery (
    id bigint NOT NULL,
    state character varying(8) NOT NULL,
    attempts smallint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone,
    tried_at timestamp with time zone,
    status smallint,
    trouble character varying(16),
    endpoint_id integer NOT NULL,
    event_id bigint NOT NULL,
    CONSTRAINT webhook_delivery_lease CHECK ((((state)::text = 'leased'::text) = (leased_until IS NOT NULL))),
    CONSTRAINT webhook_delivery_state CHECK (((state)::text = ANY ((ARRAY['due'::character varying, 'leased'::character varying, 'done'::character varying, 'failed'::character varying, 'given_up'::character varying])::text[])))
);
CREATE SEQUENCE public.webhook_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.webhook_delivery_id_seq OWNED BY public.webhook_delivery.id;
CREATE TABLE public.webhook_endpoint (
    id integer NOT NULL,
    name character varying(100) NOT NULL,
    url character varying(500) NOT NULL,
    topics jsonb NOT NULL,
    salt character varying(32) NOT NULL,
    is_active boolean NOT NULL,
    given_up integer NOT NULL,
    stopped_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    created_by_id integer
);
CREATE SEQUENCE public.webhook_endpoint_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.webhook_endpoint_id_seq OWNED BY public.webhook_endpoint.id;
CREATE TABLE public.webhook_event (
    id bigint NOT NULL,
    key uuid NOT NULL,
    type character varying(32) NOT NULL,
    data jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    is_spread boolean NOT NULL
);
CREATE SEQUENCE public.webhook_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.webhook_event_id_seq OWNED BY public.webhook_event.id;
ALTER TABLE ONLY public.answer ALTER COLUMN id SET DEFAULT nextval('public.answer_id_seq'::regclass);
ALTER TABLE ONLY public.api_key ALTER COLUMN id SET DEFAULT nextval('public.api_key_id_seq'::regclass);
ALTER TABLE ONLY public.appointment ALTER COLUMN id SET DEFAULT nextval('public.appointment_id_seq'::regclass);
ALTER TABLE ONLY public.attachment ALTER COLUMN id SET DEFAULT nextval('public.attachment_id_seq'::regclass);
ALTER TABLE ONLY public.automation ALTER COLUMN id SET DEFAULT nextval('public.automation_id_seq'::regclass);
ALTER TABLE ONLY public.automation_run ALTER COLUMN id SET DEFAULT nextval('public.automation_run_id_seq'::regclass);
ALTER TABLE ONLY public.bonus_allocation ALTER COLUMN id SET DEFAULT nextval('public.bonus_allocation_id_seq'::regclass);
ALTER TABLE ONLY public.bonus_entry ALTER COLUMN id SET DEFAULT nextval('public.bonus_entry_id_seq'::regclass);
ALTER TABLE ONLY public.bonus_lot ALTER COLUMN id SET DEFAULT nextval('public.bonus_lot_id_seq'::regclass);
ALTER TABLE ONLY public.campaign ALTER COLUMN id SET DEFAULT nextval('public.campaign_id_seq'::regclass);
ALTER TABLE ONLY public.canned_reply ALTER COLUMN id SET DEFAULT nextval('public.canned_reply_id_seq'::regclass);
ALTER TABLE ONLY public.category ALTER COLUMN id SET DEFAULT nextval('public.category_id_seq'::regclass);
ALTER TABLE ONLY public.consent ALTER COLUMN id SET DEFAULT nextval('public.consent_id_seq'::regclass);
ALTER TABLE ONLY public.consent_text ALTER COLUMN id SET DEFAULT nextval('public.consent_text_id_seq'::regclass);
ALTER TABLE ONLY public.credit_request ALTER COLUMN id SET DEFAULT nextval('public.credit_request_id_seq'::regclass);
ALTER TABLE ONLY public.customer ALTER COLUMN id SET DEFAULT nextval('public.customer_id_seq'::regclass);
ALTER TABLE ONLY public.dialog_text ALTER COLUMN id SET DEFAULT nextval('public.dialog_text_id_seq'::regclass);
ALTER TABLE ONLY public.duplicate_look ALTER COLUMN id SET DEFAULT nextval('public.duplicate_look_id_seq'::regclass);
ALTER TABLE ONLY public.entry_link ALTER COLUMN id SET DEFAULT nextval('public.entry_link_id_seq'::regclass);
ALTER TABLE ONLY public.entry_visit ALTER COLUMN id SET DEFAULT nextval('public.entry_visit_id_seq'::regclass);
ALTER TABLE ONLY public.file_download ALTER COLUMN id SET DEFAULT nextval('public.file_download_id_seq'::regclass);
ALTER TABLE ONLY public.file_export ALTER COLUMN id SET DEFAULT nextval('public.file_export_id_seq'::regclass);
ALTER TABLE ONLY public.file_import ALTER COLUMN id SET DEFAULT nextval('public.file_import_id_seq'::regclass);
ALTER TABLE ONLY public.fiscal_claim ALTER COLUMN id SET DEFAULT nextval('public.fiscal_claim_id_seq'::regclass);
ALTER TABLE ONLY public.fiscal_report ALTER COLUMN id SET DEFAULT nextval('public.fiscal_report_id_seq'::regclass);
ALTER TABLE ONLY public.hold ALTER COLUMN id SET DEFAULT nextval('public.hold_id_seq'::regclass);
ALTER TABLE ONLY public.importance_class ALTER COLUMN id SET DEFAULT nextval('public.importance_class_id_seq'::regclass);
ALTER TABLE ONLY public.incoming_update ALTER COLUMN id SET DEFAULT nextval('public.incoming_update_id_seq'::regclass);
ALTER TABLE ONLY public.journal_entry ALTER COLUMN id SET DEFAULT nextval('public.journal_entry_id_seq'::regclass);
ALTER TABLE ONLY public.label_rule ALTER COLUMN id SET DEFAULT nextval('public.label_rule_id_seq'::regclass);
ALTER TABLE ONLY public.link_request ALTER COLUMN id SET DEFAULT nextval('public.link_request_id_seq'::regclass);
ALTER TABLE ONLY public.location ALTER COLUMN id SET DEFAULT nextval('public.location_id_seq'::regclass);
ALTER TABLE ONLY public.mass_action ALTER COLUMN id SET DEFAULT nextval('public.mass_action_id_seq'::regclass);
ALTER TABLE ONLY public.media ALTER COLUMN id SET DEFAULT nextval('public.media_id_seq'::regclass);
ALTER TABLE ONLY public.merge ALTER COLUMN id SET DEFAULT nextval('public.merge_id_seq'::regclass);
ALTER TABLE ONLY public.message ALTER COLUMN id SET DEFAULT nextval('public.message_id_seq'::regclass);
ALTER TABLE ONLY public.message_template ALTER COLUMN id SET DEFAULT nextval('public.message_template_id_seq'::regclass);
ALTER TABLE ONLY public.messaging ALTER COLUMN id SET DEFAULT nextval('public.messaging_id_seq'::regclass);
ALTER TABLE ONLY public.messenger_account ALTER COLUMN id SET DEFAULT nextval('public.messenger_account_id_seq'::regclass);
ALTER TABLE ONLY public.note ALTER COLUMN id SET DEFAULT nextval('public.note_id_seq'::regclass);
ALTER TABLE ONLY public.once_only_bonus ALTER COLUMN id SET DEFAULT nextval('public.once_only_bonus_id_seq'::regclass);
ALTER TABLE ONLY public.programme ALTER COLUMN id SET DEFAULT nextval('public.programme_id_seq'::regclass);
ALTER TABLE ONLY public.proof ALTER COLUMN id SET DEFAULT nextval('public.proof_id_seq'::regclass);
ALTER TABLE ONLY public.question ALTER COLUMN id SET DEFAULT nextval('public.question_id_seq'::regclass);
ALTER TABLE ONLY public.receipt ALTER COLUMN id SET DEFAULT nextval('public.receipt_id_seq'::regclass);
ALTER TABLE ONLY public.registration_step ALTER COLUMN id SET DEFAULT nextval('public.registration_step_id_seq'::regclass);
ALTER TABLE ONLY public.saved_view ALTER COLUMN id SET DEFAULT nextval('public.saved_view_id_seq'::regclass);
ALTER TABLE ONLY public.segment ALTER COLUMN id SET DEFAULT nextval('public.segment_id_seq'::regclass);
ALTER TABLE ONLY public.segment_size ALTER COLUMN id SET DEFAULT nextval('public.segment_size_id_seq'::regclass);
ALTER TABLE ONLY public.service ALTER COLUMN id SET DEFAULT nextval('public.service_id_seq'::regclass);
ALTER TABLE ONLY public.service_category ALTER COLUMN id SET DEFAULT nextval('public.service_category_id_seq'::regclass);
ALTER TABLE ONLY public.shop ALTER COLUMN id SET DEFAULT nextval('public.shop_id_seq'::regclass);
ALTER TABLE ONLY public.staff_invitation ALTER COLUMN id SET DEFAULT nextval('public.staff_invitation_id_seq'::regclass);
ALTER TABLE ONLY public.staff_letter ALTER COLUMN id SET DEFAULT nextval('public.staff_letter_id_seq'::regclass);
ALTER TABLE ONLY public.staff_member ALTER COLUMN id SET DEFAULT nextval('public.staff_member_id_seq'::regclass);
ALTER TABLE ONLY public.survey_invitation ALTER COLUMN id SET DEFAULT nextval('public.survey_invitation_id_seq'::regclass);
ALTER TABLE ONLY public.survey_programme ALTER COLUMN id SET DEFAULT nextval('public.survey_programme_id_seq'::regclass);
ALTER TABLE ONLY public.survey_run ALTER COLUMN id SET DEFAULT nextval('public.survey_run_id_seq'::regclass);
ALTER TABLE ONLY public.task ALTER COLUMN id SET DEFAULT nextval('public.task_id_seq'::regclass);
ALTER TABLE ONLY public.team_member ALTER COLUMN id SET DEFAULT nextval('public.team_member_id_seq'::regclass);
ALTER TABLE ONLY public.tier_change ALTER COLUMN id SET DEFAULT nextval('public.tier_change_id_seq'::regclass);
ALTER TABLE ONLY public.tortoise_migrations ALTER COLUMN id SET DEFAULT nextval('public.tortoise_migrations_id_seq'::regclass);
ALTER TABLE ONLY public.waiting_sale ALTER COLUMN id SET DEFAULT nextval('public.waiting_sale_id_seq'::regclass);
ALTER TABLE ONLY public.webhook_delivery ALTER COLUMN id SET DEFAULT nextval('public.webhook_delivery_id_seq'::regclass);
ALTER TABLE ONLY public.webhook_endpoint ALTER COLUMN id SET DEFAULT nextval('public.webhook_endpoint_id_seq'::regclass);
ALTER TABLE ONLY public.webhook_event ALTER COLUMN id SET DEFAULT nextval('public.webhook_event_id_seq'::regclass);
ALTER TABLE ONLY public.answer
    ADD CONSTRAINT answer_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_secret_hash_key UNIQUE (secret_hash);
ALTER TABLE ONLY public.appointment
    ADD CONSTRAINT appointment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.appointment_service
    ADD CONSTRAINT appointment_service_pkey PRIMARY KEY (appointment_id, service_id);
ALTER TABLE ONLY public.attachment
    ADD CONSTRAINT attachment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.automation
    ADD CONSTRAINT automation_key_key UNIQUE (key);
ALTER TABLE ONLY public.automation
    ADD CONSTRAINT automation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.automation_run
    ADD CONSTRAINT automation_run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.bonus_allocation
    ADD CONSTRAINT bonus_allocation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.bonus_entry_comment
    ADD CONSTRAINT bonus_entry_comment_pkey PRIMARY KEY (entry_id);
ALTER TABLE ONLY public.bonus_entry
    ADD CONSTRAINT bonus_entry_operation_id_key UNIQUE (operation_id);
ALTER TABLE ONLY public.bonus_entry
    ADD CONSTRAINT bonus_entry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.bonus_lot
    ADD CONSTRAINT bonus_lot_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.campaign_click
    ADD CONSTRAINT campaign_click_pkey PRIMARY KEY (campaign_id, customer_id, button);
ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_key_key UNIQUE (key);
ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.canned_reply
    ADD CONSTRAINT canned_reply_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.card_code_use
    ADD CONSTRAINT card_code_use_pkey PRIMARY KEY (customer_id, step);
ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.channel_link
    ADD CONSTRAINT channel_link_pkey PRIMARY KEY (source);
ALTER TABLE ONLY public.channel_pause
    ADD CONSTRAINT channel_pause_pkey PRIMARY KEY (source);
ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.consent_text
    ADD CONSTRAINT consent_text_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.conversation
    ADD CONSTRAINT conversation_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY public.credit_request
    ADD CONSTRAINT credit_request_key_key UNIQUE (key);
ALTER TABLE ONLY public.credit_request
    ADD CONSTRAINT credit_request_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_card_number_key UNIQUE (card_number);
ALTER TABLE ONLY public.customer_category
    ADD CONSTRAINT customer_category_pkey PRIMARY KEY (category_id, customer_id);
ALTER TABLE ONLY public.customer_facts
    ADD CONSTRAINT customer_facts_pkey PRIMARY KEY (customer_id);
ALTER TABLE ONLY public.customer_location
    ADD CONSTRAINT customer_location_pkey PRIMARY KEY (location_id, customer_id);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_phone_key UNIQUE (phone);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_referral_code_key UNIQUE (referral_code);
ALTER TABLE ONLY public.customer_service_category
    ADD CONSTRAINT customer_service_category_pkey PRIMARY KEY (service_category_id, customer_id);
ALTER TABLE ONLY public.customer_service
    ADD CONSTRAINT customer_service_pkey PRIMARY KEY (service_id, customer_id);
ALTER TABLE ONLY public.customer_team_member
    ADD CONSTRAINT customer_team_member_pkey PRIMARY KEY (team_member_id, customer_id);
ALTER TABLE ONLY public.dashboard_look
    ADD CONSTRAINT dashboard_look_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.dialog_text
    ADD CONSTRAINT dialog_text_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.duplicate_look
    ADD CONSTRAINT duplicate_look_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.entry_link
    ADD CONSTRAINT entry_link_code_key UNIQUE (code);
ALTER TABLE ONLY public.entry_link
    ADD CONSTRAINT entry_link_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.entry_visit
    ADD CONSTRAINT entry_visit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.file_download
    ADD CONSTRAINT file_download_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.file_export
    ADD CONSTRAINT file_export_key_key UNIQUE (key);
ALTER TABLE ONLY public.file_export_piece
    ADD CONSTRAINT file_export_piece_pkey PRIMARY KEY (export_id, number);
ALTER TABLE ONLY public.file_export
    ADD CONSTRAINT file_export_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.file_import
    ADD CONSTRAINT file_import_key_key UNIQUE (key);
ALTER TABLE ONLY public.file_import
    ADD CONSTRAINT file_import_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.file_import_row
    ADD CONSTRAINT file_import_row_pkey PRIMARY KEY (import_id, number);
ALTER TABLE ONLY public.fiscal_claim
    ADD CONSTRAINT fiscal_claim_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.fiscal_drive
    ADD CONSTRAINT fiscal_drive_pkey PRIMARY KEY (fn);
ALTER TABLE ONLY public.fiscal_report
    ADD CONSTRAINT fiscal_report_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.hold_lot
    ADD CONSTRAINT hold_lot_pkey PRIMARY KEY (hold_id, lot_id);
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.importance_class
    ADD CONSTRAINT importance_class_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.incoming_update
    ADD CONSTRAINT incoming_update_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.journal_entry
    ADD CONSTRAINT journal_entry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.label_rule
    ADD CONSTRAINT label_rule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.link_request
    ADD CONSTRAINT link_request_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.location
    ADD CONSTRAINT location_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.mass_action
    ADD CONSTRAINT mass_action_key_key UNIQUE (key);
ALTER TABLE ONLY public.mass_action
    ADD CONSTRAINT mass_action_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.mass_action_row
    ADD CONSTRAINT mass_action_row_pkey PRIMARY KEY (action_id, customer_id);
ALTER TABLE ONLY public.mass_action
    ADD CONSTRAINT mass_action_undo_of_id_key UNIQUE (undo_of_id);
ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_dedupe_key_key UNIQUE (dedupe_key);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.message_price
    ADD CONSTRAINT message_price_pkey PRIMARY KEY (channel);
ALTER TABLE ONLY public.message_template
    ADD CONSTRAINT message_template_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.message_type
    ADD CONSTRAINT message_type_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.messaging
    ADD CONSTRAINT messaging_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.messenger_account
    ADD CONSTRAINT messenger_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.once_only_bonus
    ADD CONSTRAINT once_only_bonus_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.programme
    ADD CONSTRAINT programme_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.proof
    ADD CONSTRAINT proof_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.question
    ADD CONSTRAINT question_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.receipt_line
    ADD CONSTRAINT receipt_line_pkey PRIMARY KEY (receipt_id, "position");
ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.recipient
    ADD CONSTRAINT recipient_pkey PRIMARY KEY (campaign_id, customer_id);
ALTER TABLE ONLY public.referral
    ADD CONSTRAINT referral_pkey PRIMARY KEY (invitee_id);
ALTER TABLE ONLY public.registration_step
    ADD CONSTRAINT registration_step_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.saved_view
    ADD CONSTRAINT saved_view_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.segment_member
    ADD CONSTRAINT segment_member_pkey PRIMARY KEY (segment_id, customer_id);
ALTER TABLE ONLY public.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.segment_size
    ADD CONSTRAINT segment_size_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sender_pulse
    ADD CONSTRAINT sender_pulse_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.service_category
    ADD CONSTRAINT service_category_external_id_key UNIQUE (external_id);
ALTER TABLE ONLY public.service_category
    ADD CONSTRAINT service_category_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_external_id_key UNIQUE (external_id);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.shop
    ADD CONSTRAINT shop_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.shown_card
    ADD CONSTRAINT shown_card_pkey PRIMARY KEY (message_id);
ALTER TABLE ONLY public.staff_chat
    ADD CONSTRAINT staff_chat_account_id_key UNIQUE (account_id);
ALTER TABLE ONLY public.staff_chat
    ADD CONSTRAINT staff_chat_code_hash_key UNIQUE (code_hash);
ALTER TABLE ONLY public.staff_chat
    ADD CONSTRAINT staff_chat_pkey PRIMARY KEY (staff_id);
ALTER TABLE ONLY public.staff_invitation
    ADD CONSTRAINT staff_invitation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.staff_invitation
    ADD CONSTRAINT staff_invitation_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.staff_letter
    ADD CONSTRAINT staff_letter_key_key UNIQUE (key);
ALTER TABLE ONLY public.staff_letter
    ADD CONSTRAINT staff_letter_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.staff_location
    ADD CONSTRAINT staff_location_pkey PRIMARY KEY (staff_id, location_id);
ALTER TABLE ONLY public.staff_member
    ADD CONSTRAINT staff_member_email_key UNIQUE (email);
ALTER TABLE ONLY public.staff_member
    ADD CONSTRAINT staff_member_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT survey_answer_pkey PRIMARY KEY (invitation_id);
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_key_key UNIQUE (key);
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.survey_programme
    ADD CONSTRAINT survey_programme_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.survey_run
    ADD CONSTRAINT survey_run_key_key UNIQUE (key);
ALTER TABLE ONLY public.survey_run
    ADD CONSTRAINT survey_run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.table_layout
    ADD CONSTRAINT table_layout_pkey PRIMARY KEY (staff_id);
ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_key_key UNIQUE (key);
ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.team_member
    ADD CONSTRAINT team_member_external_id_key UNIQUE (external_id);
ALTER TABLE ONLY public.team_member
    ADD CONSTRAINT team_member_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tier_change
    ADD CONSTRAINT tier_change_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tortoise_migrations
    ADD CONSTRAINT tortoise_migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.answer
    ADD CONSTRAINT uid_answer_custome_182c52 UNIQUE (customer_id, question_id);
ALTER TABLE ONLY public.automation_run
    ADD CONSTRAINT uid_automation__automat_e1b934 UNIQUE (automation_id, customer_id, key);
ALTER TABLE ONLY public.consent_text
    ADD CONSTRAINT uid_consent_tex_topic_4f8f1a UNIQUE (topic, version, language);
ALTER TABLE ONLY public.dialog_text
    ADD CONSTRAINT uid_dialog_text_name_606907 UNIQUE (name, language);
ALTER TABLE ONLY public.entry_visit
    ADD CONSTRAINT uid_entry_visit_link_id_cb31f0 UNIQUE (link_id, account_id);
ALTER TABLE ONLY public.fiscal_claim
    ADD CONSTRAINT uid_fiscal_clai_fn_decfd0 UNIQUE (fn, i, fp);
ALTER TABLE ONLY public.fiscal_report
    ADD CONSTRAINT uid_fiscal_repo_fn_03631e UNIQUE (fn, i, fp);
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT uid_hold_source_c4dc5d UNIQUE (source, location_id, external_id);
ALTER TABLE ONLY public.incoming_update
    ADD CONSTRAINT uid_incoming_up_source_e14809 UNIQUE (source, external_id);
ALTER TABLE ONLY public.message_template
    ADD CONSTRAINT uid_message_tem_name_8d415f UNIQUE (name, language);
ALTER TABLE ONLY public.once_only_bonus
    ADD CONSTRAINT uid_once_only_b_person_511fbd UNIQUE (person, kind, period);
ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT uid_receipt_source_4718d3 UNIQUE (source, location_id, external_id);
ALTER TABLE ONLY public.segment_size
    ADD CONSTRAINT uid_segment_siz_segment_dd3545 UNIQUE (segment_id, day);
ALTER TABLE ONLY public.tortoise_migrations
    ADD CONSTRAINT uid_tortoise_mi_app_3803a5 UNIQUE (app, name);
ALTER TABLE ONLY public.waiting_sale
    ADD CONSTRAINT uid_waiting_sal_locatio_4cbbcc UNIQUE (location_id, external_id);
ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT uid_webhook_del_event_i_4cd663 UNIQUE (event_id, endpoint_id);
ALTER TABLE ONLY public.waiting_sale
    ADD CONSTRAINT waiting_sale_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.waiting_sale
    ADD CONSTRAINT waiting_sale_token_key UNIQUE (token);
ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.webhook_event
    ADD CONSTRAINT webhook_event_key_key UNIQUE (key);
ALTER TABLE ONLY public.webhook_event
    ADD CONSTRAINT webhook_event_pkey PRIMARY KEY (id);
CREATE INDEX answer_question ON public.answer USING btree (question_id, choice);
CREATE INDEX appointment_customer ON public.appointment USING btree (customer_id, starts_at);
CREATE UNIQUE INDEX appointment_external ON public.appointment USING btree (location_id, external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX appointment_missed ON public.appointment USING btree (starts_at) WHERE ((state)::text = 'no_show'::text);
CREATE INDEX appointment_online ON public.appointment USING btree (customer_id) WHERE ((source)::text = 'online'::text);
CREATE INDEX appointment_planned ON public.appointment USING btree (team_member_id, starts_at) WHERE ((state)::text = 'planned'::text);
CREATE INDEX appointment_starts ON public.appointment USING btree (starts_at);
CREATE INDEX appointment_updated ON public.appointment USING btree (updated_at, id);
CREATE INDEX automation_run_automation ON public.automation_run USING btree (automation_id, id);
CREATE INDEX automation_run_customer ON public.automation_run USING btree (customer_id, id);
CREATE INDEX automation_run_due ON public.automation_run USING btree (due_at, id) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX bonus_allocation_entry ON public.bonus_allocation USING btree (entry_id);
CREATE INDEX bonus_allocation_lot ON public.bonus_allocation USING btree (lot_id);
CREATE INDEX bonus_entry_by_hand ON public.bonus_entry USING btree (staff_id, business_date) WHERE ((kind)::text = 'adjust'::text);
CREATE INDEX bonus_entry_by_itself ON public.bonus_entry USING btree (customer_id, at) WHERE (receipt_id IS NULL);
CREATE INDEX bonus_entry_customer ON public.bonus_entry USING btree (customer_id, id);
CREATE INDEX bonus_entry_receipt ON public.bonus_entry USING btree (receipt_id);
CREATE INDEX bonus_lot_entry ON public.bonus_lot USING btree (entry_id);
CREATE INDEX bonus_lot_expiring ON public.bonus_lot USING btree (expires_at) WHERE (remaining > 0);
CREATE INDEX bonus_lot_open ON public.bonus_lot USING btree (customer_id) WHERE (remaining > 0);
CREATE INDEX campaign_running ON public.campaign USING btree (id) WHERE ((state)::text = 'running'::text);
CREATE INDEX campaign_scheduled ON public.campaign USING btree (starts_at) WHERE ((state)::text = 'scheduled'::text);
CREATE INDEX campaign_series ON public.campaign USING btree (series_id, id) WHERE (series_id IS NOT NULL);
CREATE UNIQUE INDEX canned_reply_title ON public.canned_reply USING btree (lower((title)::text)) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX category_name ON public.category USING btree (lower((name)::text)) WHERE (archived_at IS NULL);
CREATE INDEX consent_customer ON public.consent USING btree (customer_id, topic, id);
CREATE INDEX conversation_assignee ON public.conversation USING btree (assignee_id) WHERE (assignee_id IS NOT NULL);
CREATE INDEX conversation_closed ON public.conversation USING btree (last_message_at, account_id) WHERE ((state)::text = 'closed'::text);
CREATE INDEX conversation_heard ON public.conversation USING btree (heard_at, account_id) WHERE (heard_at IS NOT NULL);
CREATE INDEX conversation_open ON public.conversation USING btree (last_message_at, account_id) WHERE ((state)::text = 'open'::text);
CREATE INDEX conversation_waiting ON public.conversation USING btree (waiting_since);
CREATE INDEX credit_request_customer ON public.credit_request USING btree (customer_id, id);
CREATE INDEX credit_request_waiting ON public.credit_request USING btree (id) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX customer_birthday ON public.customer USING btree (((((EXTRACT(month FROM birthday) * (100)::numeric) + EXTRACT(day FROM birthday)))::integer));
CREATE INDEX customer_card_number_prefix ON public.customer USING btree (card_number text_pattern_ops);
CREATE INDEX customer_category_customer ON public.customer_category USING btree (customer_id);
CREATE INDEX customer_created_by ON public.customer USING btree (created_by_id) WHERE (created_by_id IS NOT NULL);
CREATE INDEX customer_created_via ON public.customer USING btree (created_via);
CREATE INDEX customer_deleted ON public.customer USING btree (deleted_at, id) WHERE (deleted_at IS NOT NULL);
CREATE INDEX customer_email_prefix ON public.customer USING btree (lower((email)::text) text_pattern_ops);
CREATE INDEX customer_entry_link ON public.customer USING btree (entry_link_id) WHERE (entry_link_id IS NOT NULL);
CREATE INDEX customer_facts_balance ON public.customer_facts USING btree (balance, customer_id);
CREATE INDEX customer_facts_birthday ON public.customer_facts USING btree (birthday_code) WHERE (birthday_code <> 0);
CREATE INDEX customer_facts_created ON public.customer_facts USING btree (created_at, customer_id);
CREATE INDEX customer_facts_debt ON public.customer_facts USING btree (debt, customer_id) WHERE (debt > 0);
CREATE INDEX customer_facts_discount ON public.customer_facts USING btree (discount_bp, customer_id) WHERE (discount_bp > 0);
CREATE INDEX customer_facts_importance ON public.customer_facts USING btree (importance_id, customer_id) WHERE (importance_id > 0);
CREATE INDEX customer_facts_last_visit ON public.customer_facts USING btree (last_visit_at, customer_id);
CREATE INDEX customer_facts_next_booking ON public.customer_facts USING btree (next_booking_at, customer_id) WHERE (next_booking_at > '1970-01-01 00:00:00+00'::timestamp with time zone);
CREATE INDEX customer_facts_sold ON public.customer_facts USING btree (sold, customer_id);
CREATE INDEX customer_facts_tier_due ON public.customer_facts USING btree (tier_due_at) WHERE (tier_due_at IS NOT NULL);
CREATE INDEX customer_facts_tips ON public.customer_facts USING btree (tips, customer_id) WHERE (tips > 0);
CREATE INDEX customer_facts_visits ON public.customer_facts USING btree (visits, customer_id);
CREATE INDEX customer_gender ON public.customer USING btree (gender);
CREATE INDEX customer_home_location ON public.customer USING btree (home_location_id, id) WHERE (home_location_id IS NOT NULL);
CREATE INDEX customer_language ON public.customer USING btree (language);
CREATE INDEX customer_location_customer ON public.customer_location USING btree (customer_id);
CREATE INDEX customer_merged_into ON public.customer USING btree (merged_into_id) WHERE (merged_into_id IS NOT NULL);
CREATE INDEX customer_name_order ON public.customer USING btree (lower((name)::text), id);
CREATE INDEX customer_phone_reversed ON public.customer USING btree (reverse((phone)::text) text_pattern_ops);
CREATE INDEX customer_phone_trigrams ON public.customer USING gin (phone public.gin_trgm_ops);
CREATE INDEX customer_search_trigrams ON public.customer USING gin (search_name public.gin_trgm_ops);
CREATE INDEX customer_service_category_customer ON public.customer_service_category USING btree (customer_id);
CREATE INDEX customer_service_customer ON public.customer_service USING btree (customer_id);
CREATE INDEX customer_team_member_customer ON public.customer_team_member USING btree (customer_id);
CREATE INDEX customer_updated ON public.customer USING btree (updated_at, id);
CREATE INDEX customer_without_phone ON public.customer USING btree (id) WHERE (phone IS NULL);
CREATE INDEX file_download_export ON public.file_download USING btree (export_id, id);
CREATE INDEX file_export_staff ON public.file_export USING btree (staff_id, id);
CREATE INDEX file_export_waiting ON public.file_export USING btree (id) WHERE ((state)::text = ANY ((ARRAY['queued'::character varying, 'running'::character varying])::text[]));
CREATE INDEX file_import_row_customer ON public.file_import_row USING btree (customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX fiscal_claim_customer ON public.fiscal_claim USING btree (customer_id, created_at);
CREATE INDEX fiscal_claim_waiting ON public.fiscal_claim USING btree (id) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX fiscal_drive_location ON public.fiscal_drive USING btree (location_id);
CREATE INDEX hold_lapsing ON public.hold USING btree (expires_at) WHERE ((state)::text = ANY ((ARRAY['asked'::character varying, 'held'::character varying])::text[]));
CREATE INDEX hold_live ON public.hold USING btree (customer_id) WHERE ((state)::text = ANY ((ARRAY['asked'::character varying, 'held'::character varying])::text[]));
CREATE INDEX hold_lot_lot ON public.hold_lot USING btree (lot_id);
CREATE UNIQUE INDEX importance_class_name ON public.importance_class USING btree (lower((name)::text)) WHERE (archived_at IS NULL);
CREATE INDEX incoming_update_failed ON public.incoming_update USING btree (id) WHERE ((state)::text = 'failed'::text);
CREATE INDEX incoming_update_new ON public.incoming_update USING btree (source, chat, "position", id) WHERE ((state)::text = 'new'::text);
CREATE INDEX incoming_update_received ON public.incoming_update USING btree (received_at);
CREATE INDEX journal_entry_refused ON public.journal_entry USING btree (at) WHERE ((action)::text = ANY ((ARRAY['sale.refused'::character varying, 'credit.refused'::character varying])::text[]));
CREATE INDEX journal_entry_staff ON public.journal_entry USING btree (staff_id, id) WHERE (staff_id IS NOT NULL);
CREATE INDEX journal_entry_subject ON public.journal_entry USING btree (subject_kind, subject_id, id);
CREATE UNIQUE INDEX label_rule_name ON public.label_rule USING btree (lower((name)::text)) WHERE (archived_at IS NULL);
CREATE INDEX link_request_account ON public.link_request USING btree (account_id);
CREATE INDEX link_request_customer ON public.link_request USING btree (customer_id);
CREATE UNIQUE INDEX link_request_once ON public.link_request USING btree (account_id, customer_id) WHERE ((state)::text = 'open'::text);
CREATE INDEX link_request_open ON public.link_request USING btree (created_at) WHERE ((state)::text = 'open'::text);
CREATE INDEX mass_action_row_left_out ON public.mass_action_row USING btree (action_id, state, customer_id) WHERE ((state)::text = ANY ((ARRAY['skipped'::character varying, 'failed'::character varying])::text[]));
CREATE INDEX mass_action_running ON public.mass_action USING btree (id) WHERE ((state)::text = 'running'::text);
CREATE INDEX media_message ON public.media USING btree (message_id);
CREATE INDEX media_wanted ON public.media USING btree (due_at) WHERE ((state)::text = 'wanted'::text);
CREATE UNIQUE INDEX merge_live ON public.merge USING btree (merged_id) WHERE (undone_at IS NULL);
CREATE INDEX merge_merged ON public.merge USING btree (merged_id);
CREATE INDEX merge_survivor ON public.merge USING btree (survivor_id);
CREATE INDEX message_account ON public.message USING btree (account_id, id);
CREATE INDEX message_capped ON public.message USING btree (customer_id, created_at) WHERE (((topic)::text = 'marketing'::text) AND ((direction)::text = 'out'::text));
CREATE INDEX message_delayed ON public.message USING btree (due_at) WHERE ((status)::text = 'delayed'::text);
CREATE INDEX message_instead_of ON public.message USING btree (instead_of_id) WHERE (instead_of_id IS NOT NULL);
CREATE INDEX message_leased ON public.message USING btree (leased_until) WHERE ((status)::text = ANY ((ARRAY['leased'::character varying, 'sending'::character varying])::text[]));
CREATE INDEX message_lost ON public.message USING btree (created_at, id) WHERE ((status)::text = ANY ((ARRAY['failed'::character varying, 'unknown'::character varying, 'cancelled'::character varying])::text[]));
CREATE INDEX message_named ON public.message USING btree (external_id) WHERE (((channel)::text = 'sms'::text) AND ((direction)::text = 'out'::text));
CREATE INDEX message_pending ON public.message USING btree (account_id, priority, id) WHERE (((direction)::text = 'out'::text) AND ((status)::text = ANY ((ARRAY['queued'::character varying, 'delayed'::character varying, 'leased'::character varying, 'sending'::character varying])::text[])));
CREATE INDEX message_places ON public.message USING btree (customer_id) WHERE ((channel)::text = ANY ((ARRAY['sms'::character varying, 'email'::character varying])::text[]));
CREATE INDEX message_queued ON public.message USING btree (channel, priority, id) WHERE ((status)::text = 'queued'::text);
CREATE INDEX message_told ON public.message USING btree (created_at, id) WHERE ((direction)::text = 'out'::text);
CREATE INDEX message_words ON public.message USING gin (((content ->> 'text'::text)) public.gin_trgm_ops) WHERE (((direction)::text <> 'out'::text) OR ((kind)::text = 'staff'::text));
CREATE INDEX messenger_account_address ON public.messenger_account USING btree (channel, address);
CREATE UNIQUE INDEX messenger_account_alias ON public.messenger_account USING btree (channel, alias) WHERE (alias IS NOT NULL);
CREATE INDEX messenger_account_customer ON public.messenger_account USING btree (customer_id);
CREATE INDEX messenger_account_erased ON public.messenger_account USING btree (id) WHERE ((customer_id IS NULL) AND (linked_at IS NOT NULL));
CREATE INDEX messenger_account_inactive ON public.messenger_account USING btree (channel, customer_id) WHERE (NOT is_active);
CREATE UNIQUE INDEX messenger_account_one ON public.messenger_account USING btree (channel, address) WHERE ((channel)::text <> 'email'::text);
CREATE UNIQUE INDEX messenger_account_one_default ON public.messenger_account USING btree (customer_id) WHERE is_default;
CREATE INDEX messenger_account_stopped ON public.messenger_account USING btree (channel, customer_id) WHERE (NOT takes_marketing);
CREATE INDEX note_customer ON public.note USING btree (customer_id, id);
CREATE INDEX programme_effective ON public.programme USING btree (effective_from, id);
CREATE UNIQUE INDEX question_of_profile ON public.question USING btree (kind) WHERE ((kind)::text = ANY ((ARRAY['birthday'::character varying, 'gender'::character varying])::text[]));
CREATE INDEX receipt_at ON public.receipt USING brin (at) WITH (autosummarize='on');
CREATE INDEX receipt_customer ON public.receipt USING btree (customer_id, at);
CREATE UNIQUE INDEX receipt_fiscal ON public.receipt USING btree (fiscal_fn, fiscal_i, fiscal_fp) WHERE (((kind)::text = 'sale'::text) AND (fiscal_fn IS NOT NULL));
CREATE INDEX receipt_original ON public.receipt USING btree (original_id) WHERE (original_id IS NOT NULL);
CREATE INDEX receipt_promo_code ON public.receipt USING btree (promo_code, customer_id) WHERE (promo_code IS NOT NULL);
CREATE INDEX receipt_shift ON public.receipt USING btree (staff_id, business_date) WHERE (staff_id IS NOT NULL);
CREATE INDEX recipient_customer ON public.recipient USING btree (customer_id);
CREATE INDEX recipient_due ON public.recipient USING btree (campaign_id, customer_id) WHERE ((state)::text = 'due'::text);
CREATE INDEX recipient_left_out ON public.recipient USING btree (campaign_id, customer_id) WHERE ((state)::text = 'skipped'::text);
CREATE INDEX recipient_open ON public.recipient USING btree (campaign_id, customer_id) WHERE ((state)::text = 'queued'::text);
CREATE INDEX referral_due ON public.referral USING btree (due_at) WHERE ((state)::text = 'due'::text);
CREATE INDEX referral_paid ON public.referral USING btree (receipt_id) WHERE ((state)::text = 'paid'::text);
CREATE INDEX referral_referrer ON public.referral USING btree (referrer_id, created_at);
CREATE INDEX referral_waiting ON public.referral USING btree (invitee_id) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX registration_step_customer ON public.registration_step USING btree (customer_id, id);
CREATE UNIQUE INDEX saved_view_name ON public.saved_view USING btree (staff_id, lower((name)::text));
CREATE INDEX segment_member_added ON public.segment_member USING btree (segment_id, added_at);
CREATE INDEX segment_member_customer ON public.segment_member USING btree (customer_id);
CREATE UNIQUE INDEX segment_name ON public.segment USING btree (lower((name)::text)) WHERE (archived_at IS NULL);
CREATE INDEX shown_card_closes ON public.shown_card USING btree (closes_at);
CREATE INDEX shown_card_due ON public.shown_card USING btree (due_at);
CREATE INDEX staff_invitation_staff ON public.staff_invitation USING btree (staff_id);
CREATE INDEX staff_letter_queued ON public.staff_letter USING btree (due_at) WHERE ((state)::text = 'queued'::text);
CREATE INDEX survey_answer_customer ON public.survey_answer USING btree (customer_id, answered_at);
CREATE INDEX survey_answer_time ON public.survey_answer USING btree (answered_at, invitation_id);
CREATE INDEX survey_invitation_asked ON public.survey_invitation USING btree (asked_at);
CREATE INDEX survey_invitation_customer ON public.survey_invitation USING btree (customer_id, id);
CREATE INDEX survey_invitation_due ON public.survey_invitation USING btree (due_at, id) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX survey_invitation_run ON public.survey_invitation USING btree (run_id);
CREATE INDEX task_assignee ON public.task USING btree (assignee_id, id);
CREATE INDEX task_closed_at ON public.task USING btree (closed_at, id);
CREATE INDEX task_customer ON public.task USING btree (customer_id, id);
CREATE INDEX task_open ON public.task USING btree (due_at, id) WHERE ((state)::text = 'open'::text);
CREATE INDEX task_remind ON public.task USING btree (remind_at) WHERE ((state)::text = 'open'::text);
CREATE INDEX tier_change_customer ON public.tier_change USING btree (customer_id, id);
CREATE INDEX waiting_sale_came ON public.waiting_sale USING btree (customer_id) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX waiting_sale_expiring ON public.waiting_sale USING btree (expires_at) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX waiting_sale_phone ON public.waiting_sale USING btree (phone) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX waiting_sale_shift ON public.waiting_sale USING btree (staff_id, created_at);
CREATE INDEX webhook_delivery_due ON public.webhook_delivery USING btree (endpoint_id, due_at, id) WHERE ((state)::text = ANY ((ARRAY['due'::character varying, 'failed'::character varying])::text[]));
CREATE INDEX webhook_delivery_endpoint ON public.webhook_delivery USING btree (endpoint_id, id);
CREATE INDEX webhook_delivery_leased ON public.webhook_delivery USING btree (endpoint_id, leased_until) WHERE ((state)::text = 'leased'::text);
CREATE INDEX webhook_event_at ON public.webhook_event USING btree (at);
CREATE INDEX webhook_event_new ON public.webhook_event USING btree (id) WHERE (NOT is_spread);
CREATE TRIGGER bonus_allocation_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.bonus_allocation FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER bonus_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.bonus_entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER journal_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.journal_entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE ONLY public.answer
    ADD CONSTRAINT answer_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.answer
    ADD CONSTRAINT answer_question_id_fkey FOREIGN KEY (question_id) REFERENCES public.question(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.appointment
    ADD CONSTRAINT appointment_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.appointment
    ADD CONSTRAINT appointment_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.appointment
    ADD CONSTRAINT appointment_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.appointment
    ADD CONSTRAINT appointment_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.appointment_service
    ADD CONSTRAINT appointment_service_appointment_id_fkey FOREIGN KEY (appointment_id) REFERENCES public.appointment(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.appointment_service
    ADD CONSTRAINT appointment_service_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.appointment
    ADD CONSTRAINT appointment_team_member_id_fkey FOREIGN KEY (team_member_id) REFERENCES public.team_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.attachment
    ADD CONSTRAINT attachment_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.automation
    ADD CONSTRAINT automation_acknowledged_by_id_fkey FOREIGN KEY (acknowledged_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.automation_run
    ADD CONSTRAINT automation_run_automation_id_fkey FOREIGN KEY (automation_id) REFERENCES public.automation(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.automation_run
    ADD CONSTRAINT automation_run_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.automation
    ADD CONSTRAINT automation_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_allocation
    ADD CONSTRAINT bonus_allocation_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.bonus_entry(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_allocation
    ADD CONSTRAINT bonus_allocation_lot_id_fkey FOREIGN KEY (lot_id) REFERENCES public.bonus_lot(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_entry_comment
    ADD CONSTRAINT bonus_entry_comment_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.bonus_entry(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_entry
    ADD CONSTRAINT bonus_entry_corrects_id_fkey FOREIGN KEY (corrects_id) REFERENCES public.bonus_entry(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_entry
    ADD CONSTRAINT bonus_entry_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_entry
    ADD CONSTRAINT bonus_entry_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_entry
    ADD CONSTRAINT bonus_entry_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_entry
    ADD CONSTRAINT bonus_entry_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_lot
    ADD CONSTRAINT bonus_lot_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.bonus_lot
    ADD CONSTRAINT bonus_lot_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.bonus_entry(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_attachment_id_fkey FOREIGN KEY (attachment_id) REFERENCES public.attachment(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.campaign_click
    ADD CONSTRAINT campaign_click_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_series_id_fkey FOREIGN KEY (series_id) REFERENCES public.campaign(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_template_id_fkey FOREIGN KEY (template_id) REFERENCES public.message_template(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.canned_reply
    ADD CONSTRAINT canned_reply_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.card_code_use
    ADD CONSTRAINT card_code_use_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.card_code_use
    ADD CONSTRAINT card_code_use_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.consent_text
    ADD CONSTRAINT consent_text_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.conversation
    ADD CONSTRAINT conversation_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.messenger_account(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.conversation
    ADD CONSTRAINT conversation_assignee_id_fkey FOREIGN KEY (assignee_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.credit_request
    ADD CONSTRAINT credit_request_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.credit_request
    ADD CONSTRAINT credit_request_decided_by_id_fkey FOREIGN KEY (decided_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.credit_request
    ADD CONSTRAINT credit_request_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.bonus_entry(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.credit_request
    ADD CONSTRAINT credit_request_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_category
    ADD CONSTRAINT customer_category_category_id_fkey FOREIGN KEY (category_id) REFERENCES public.category(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_category
    ADD CONSTRAINT customer_category_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_category
    ADD CONSTRAINT customer_category_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.label_rule(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_category
    ADD CONSTRAINT customer_category_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_deleted_by_id_fkey FOREIGN KEY (deleted_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_entry_link_id_fkey FOREIGN KEY (entry_link_id) REFERENCES public.entry_link(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_facts
    ADD CONSTRAINT customer_facts_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_home_location_id_fkey FOREIGN KEY (home_location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_location
    ADD CONSTRAINT customer_location_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_location
    ADD CONSTRAINT customer_location_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_merged_into_id_fkey FOREIGN KEY (merged_into_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_service_category
    ADD CONSTRAINT customer_service_category_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_service_category
    ADD CONSTRAINT customer_service_category_service_category_id_fkey FOREIGN KEY (service_category_id) REFERENCES public.service_category(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_service
    ADD CONSTRAINT customer_service_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_service
    ADD CONSTRAINT customer_service_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_team_member
    ADD CONSTRAINT customer_team_member_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.customer_team_member
    ADD CONSTRAINT customer_team_member_team_member_id_fkey FOREIGN KEY (team_member_id) REFERENCES public.team_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.entry_link
    ADD CONSTRAINT entry_link_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.entry_link
    ADD CONSTRAINT entry_link_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.entry_visit
    ADD CONSTRAINT entry_visit_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.messenger_account(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.entry_visit
    ADD CONSTRAINT entry_visit_link_id_fkey FOREIGN KEY (link_id) REFERENCES public.entry_link(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.file_download
    ADD CONSTRAINT file_download_export_id_fkey FOREIGN KEY (export_id) REFERENCES public.file_export(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.file_download
    ADD CONSTRAINT file_download_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.file_export_piece
    ADD CONSTRAINT file_export_piece_export_id_fkey FOREIGN KEY (export_id) REFERENCES public.file_export(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.file_export
    ADD CONSTRAINT file_export_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.file_import_row
    ADD CONSTRAINT file_import_row_import_id_fkey FOREIGN KEY (import_id) REFERENCES public.file_import(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.file_import
    ADD CONSTRAINT file_import_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.file_import
    ADD CONSTRAINT file_import_undone_by_id_fkey FOREIGN KEY (undone_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.fiscal_claim
    ADD CONSTRAINT fiscal_claim_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.fiscal_claim
    ADD CONSTRAINT fiscal_claim_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.fiscal_claim
    ADD CONSTRAINT fiscal_claim_media_id_fkey FOREIGN KEY (media_id) REFERENCES public.media(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.fiscal_claim
    ADD CONSTRAINT fiscal_claim_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.fiscal_claim
    ADD CONSTRAINT fiscal_claim_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.fiscal_drive
    ADD CONSTRAINT fiscal_drive_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.fiscal_report
    ADD CONSTRAINT fiscal_report_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.fiscal_report
    ADD CONSTRAINT fiscal_report_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.hold_lot
    ADD CONSTRAINT hold_lot_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES public.hold(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.hold_lot
    ADD CONSTRAINT hold_lot_lot_id_fkey FOREIGN KEY (lot_id) REFERENCES public.bonus_lot(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.journal_entry
    ADD CONSTRAINT journal_entry_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.journal_entry
    ADD CONSTRAINT journal_entry_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.label_rule
    ADD CONSTRAINT label_rule_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.link_request
    ADD CONSTRAINT link_request_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.messenger_account(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.link_request
    ADD CONSTRAINT link_request_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.link_request
    ADD CONSTRAINT link_request_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.mass_action_row
    ADD CONSTRAINT mass_action_row_action_id_fkey FOREIGN KEY (action_id) REFERENCES public.mass_action(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.mass_action
    ADD CONSTRAINT mass_action_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.mass_action
    ADD CONSTRAINT mass_action_undo_of_id_fkey FOREIGN KEY (undo_of_id) REFERENCES public.mass_action(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_merged_id_fkey FOREIGN KEY (merged_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_survivor_id_fkey FOREIGN KEY (survivor_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_undone_by_id_fkey FOREIGN KEY (undone_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.messenger_account(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_instead_of_id_fkey FOREIGN KEY (instead_of_id) REFERENCES public.message(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.messenger_account
    ADD CONSTRAINT messenger_account_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.once_only_bonus
    ADD CONSTRAINT once_only_bonus_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.bonus_entry(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.programme
    ADD CONSTRAINT programme_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.receipt_line
    ADD CONSTRAINT receipt_line_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_original_id_fkey FOREIGN KEY (original_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_programme_id_fkey FOREIGN KEY (programme_id) REFERENCES public.programme(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.recipient
    ADD CONSTRAINT recipient_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.referral
    ADD CONSTRAINT referral_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.bonus_entry(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.referral
    ADD CONSTRAINT referral_invitee_entry_id_fkey FOREIGN KEY (invitee_entry_id) REFERENCES public.bonus_entry(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.referral
    ADD CONSTRAINT referral_invitee_id_fkey FOREIGN KEY (invitee_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.referral
    ADD CONSTRAINT referral_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.referral
    ADD CONSTRAINT referral_referrer_id_fkey FOREIGN KEY (referrer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.registration_step
    ADD CONSTRAINT registration_step_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.saved_view
    ADD CONSTRAINT saved_view_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.segment
    ADD CONSTRAINT segment_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.segment_member
    ADD CONSTRAINT segment_member_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.segment_member
    ADD CONSTRAINT segment_member_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES public.segment(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.segment_member
    ADD CONSTRAINT segment_member_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.segment_size
    ADD CONSTRAINT segment_size_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES public.segment(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_category_id_fkey FOREIGN KEY (category_id) REFERENCES public.service_category(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.shown_card
    ADD CONSTRAINT shown_card_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.shown_card
    ADD CONSTRAINT shown_card_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.staff_chat
    ADD CONSTRAINT staff_chat_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.messenger_account(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.staff_chat
    ADD CONSTRAINT staff_chat_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.staff_invitation
    ADD CONSTRAINT staff_invitation_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.staff_letter
    ADD CONSTRAINT staff_letter_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.staff_location
    ADD CONSTRAINT staff_location_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.staff_location
    ADD CONSTRAINT staff_location_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.staff_member
    ADD CONSTRAINT staff_member_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT survey_answer_cashier_id_fkey FOREIGN KEY (cashier_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT survey_answer_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT survey_answer_invitation_id_fkey FOREIGN KEY (invitation_id) REFERENCES public.survey_invitation(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT survey_answer_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT survey_answer_team_member_id_fkey FOREIGN KEY (team_member_id) REFERENCES public.team_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_cashier_id_fkey FOREIGN KEY (cashier_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.survey_run(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_invitation
    ADD CONSTRAINT survey_invitation_team_member_id_fkey FOREIGN KEY (team_member_id) REFERENCES public.team_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_programme
    ADD CONSTRAINT survey_programme_assignee_id_fkey FOREIGN KEY (assignee_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.survey_run
    ADD CONSTRAINT survey_run_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.table_layout
    ADD CONSTRAINT table_layout_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_assignee_id_fkey FOREIGN KEY (assignee_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_closed_by_id_fkey FOREIGN KEY (closed_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.team_member
    ADD CONSTRAINT team_member_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.tier_change
    ADD CONSTRAINT tier_change_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.tier_change
    ADD CONSTRAINT tier_change_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.tier_change
    ADD CONSTRAINT tier_change_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.waiting_sale
    ADD CONSTRAINT waiting_sale_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.waiting_sale
    ADD CONSTRAINT waiting_sale_location_id_fkey FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.waiting_sale
    ADD CONSTRAINT waiting_sale_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipt(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.waiting_sale
    ADD CONSTRAINT waiting_sale_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES public.webhook_endpoint(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_event_id_fkey FOREIGN KEY (event_id) REFERENCES public.webhook_event(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.staff_member(id) ON DELETE RESTRICT;
