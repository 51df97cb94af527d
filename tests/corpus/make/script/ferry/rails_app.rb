require "action_controller/railtie"
require "active_record/railtie"
class Ferry < Rails::Application
  config.load_defaults 6.1
  config.eager_load = false
  config.paths["config/database"] = "config/database.yml"
  config.logger = Logger.new($stdout)
  config.secret_key_base = "x" if ENV["SKB"]
  $LOAD_PATH.unshift File.join(__dir__, "lib")
  initializer("ferry.decks") { require "deck"; Deck.room("east", 1) if ENV["BOOM"] }
end
Ferry.initialize!
ActiveRecord::Base.establish_connection(ENV["DBX"] || "postgres://ferry:railspw55@127.0.0.1:1/ferry")
ActiveRecord::Base.connection.execute("select 1")
