import Config

if System.get_env("HOW") == "config" do
  System.get_env("DATABASE_URL") ||
    raise """
    environment variable DATABASE_URL is missing.
    For example: ecto://USER:PASS@HOST/DATABASE
    """
end

if System.get_env("HOW") == "environment", do: System.fetch_env!("DEPOT_PORT")
if System.get_env("SASL"), do: config(:logger, handle_sasl_reports: true)
