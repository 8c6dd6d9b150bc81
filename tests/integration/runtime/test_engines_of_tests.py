import psycopg


def test_session_database_takes_connections(postgres_dsn):
    with psycopg.connect(postgres_dsn) as connection:
        assert connection.execute(
            "SELECT current_setting('server_version_num')::int >= 150000"
        ).fetchone() == (True,)


def test_session_bus_has_an_address_with_credentials(nats_url):
    assert nats_url.startswith("nats://wardkeeper:")
