$LOAD_PATH.unshift File.join(__dir__, "lib")
require "sidekiq"
require "deck"
Sidekiq.configure_server { |c| c.redis = { url: "redis://:sidekiqpw9@127.0.0.1:1/0" } }
class BoardJob
  include Sidekiq::Worker
  def perform(n) = Deck.room("east", n)
end
Deck.room("east", 1) if ENV["BOOM"]
