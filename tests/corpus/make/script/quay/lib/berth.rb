BERTHS = { "A1" => { depth: 9 } }
class Berth
  def initialize(name)
    @name = name
  end

  def depth
    BERTHS.fetch(@name)[:depth]  # «berthrb»
  end
end

def fits(ship)
  Berth.new(ship[:berth]).depth > ship[:draught]
end
