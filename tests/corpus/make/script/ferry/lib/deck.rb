# Decks of the ferry.
class Deck
  LANES = { "north" => { cars: 4 }, "south" => { cars: 9 } }

  def lane(name)
    LANES[name]
  end

  def cars(name)
    lane(name)[:cars]  # «deckcars10»
  end

  def self.room(name, wanted)  # «deckroom13»
    new.cars(name) - wanted
  end
end
