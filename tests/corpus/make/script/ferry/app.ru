$LOAD_PATH.unshift File.join(__dir__, "lib")
require "deck"
ROOM = Deck.room("east", 2)
run ->(env) { [200, {}, ["x"]] }
