# A shelf that fails in many ways.
module Depot
  class ShelfError < StandardError; end

  class Shelf
    attr_reader :owner

    def initialize
      @crates = []
      @index = {}
    end

    def owner_length
      owner.name.length # culprit: nil
    end

    def find(crate)
      @index.fetch(crate) # culprit: missing
    end

    def weight(crate)
      crate + 7 # culprit: type
    end

    def convert(crate)
      Integer(crate) # culprit: convert
    end

    def at(position)
      @crates.fetch(position) # culprit: index
    end

    def average(total)
      total / @crates.size # culprit: divide
    end

    def depth(level)
      depth(level + 1) + 1 # culprit: recursion
    end

    def seal(state)
      raise ShelfError, "shelf is sealed: #{state}" # culprit: sealed
    end

    def seal_again(state)
      raise ShelfError, "shelf is sealed: #{state}" # culprit: sealed-again
    end

    def close(month)
      average(10)
    rescue ZeroDivisionError
      raise ShelfError, "cannot close #{month}"
    end

    def close_year(year)
      close("#{year}-12")
    rescue ShelfError => e
      raise ArgumentError, "cannot close #{year}: #{e.message}"
    end

    def multi
      raise ShelfError, "first line\nsecond line at position 3\n  third" # culprit: multi
    end

    def silent
      raise ShelfError, "" # culprit: silent
    end

    def arguments
      at # culprit: arguments
    end

    def undefined
      fetch_all_crates # culprit: undefined
    end

    def constant
      Depot::Ledger # culprit: constant
    end

    def frozen
      "crate".freeze << "s" # culprit: frozen
    end

    def in_block
      [1].each do |number|
        [number].map { |inner| owner.name * inner } # culprit: block
      end
    end

    def self.build
      new.at(9)
    end

    def fill
      "x" * (1 << 62) # culprit: memory
    end
  end
end
