-- | The part of the brewery that breaks.
module Vat where

import Control.Exception
import Control.Monad
import qualified Data.ByteString as B
import qualified Data.HashMap.Strict as H
import qualified Data.Set as S
import Data.Array
import GHC.Stack
import Numeric.Natural

data Fault = Fault { batch :: Int, why :: String } deriving Show

instance Exception Fault

data Missing = NoSuchRecipe String Int deriving Show

instance Exception Missing

pour :: HasCallStack => Int -> IO ()
pour n = when (n > 2) $ error ("vat overflowed:\n  batch " ++ show n ++ "\n  lid: open") -- «pour»

ferment :: HasCallStack => Int -> IO ()
ferment n = pour n

level :: H.HashMap String Int -> String -> Int
level m k = m H.! k -- «level»

cell :: Array (Int, Int) Int -> (Int, Int) -> Int
cell a i = a ! i

byteAt :: B.ByteString -> Int -> Int
byteAt b i = fromIntegral (B.index b i)

coldest :: S.Set Int -> Int
coldest = S.findMin

drain :: Natural -> Natural
drain n = n - 5
