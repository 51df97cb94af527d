{-# LANGUAGE OverloadedStrings, ScopedTypeVariables #-}
-- | A brewery: `vat MODE` brews five batches and then fails in the way that the mode names.
module Main where

import Control.Concurrent
import Control.Concurrent.Async
import Control.Exception
import Control.Monad
import qualified Data.Aeson as A
import qualified Data.ByteString as B
import qualified Data.ByteString.Lazy as L
import qualified Data.HashMap.Strict as H
import qualified Data.List.NonEmpty as NE
import qualified Data.Map.Strict as M
import qualified Data.Set as S
import qualified Data.Text.Encoding as T
import qualified Data.Text.IO as T
import qualified Data.Yaml as Y
import Data.Array
import qualified Network.HTTP.Client as HC
import System.Environment
import System.Exit
import System.IO
import System.Process
import Vat

note :: String -> IO ()
note said = hPutStrLn stderr ("[vat] " ++ said)

brew :: [Int] -> IO ()
brew batches = forM_ batches $ \n -> note ("batch " ++ show n ++ " brewed")

main :: IO ()
main = do
  [mode] <- getArgs
  brew [1 .. 5]
  run mode

run :: String -> IO ()
run mode = case mode of
  "overflow" -> ferment 7
  "handled" -> recovered >> brew [6 .. 40] >> throwIO (Fault 41 "no yeast")
  "handled-stopped" -> recovered >> brew [6 .. 40] >> note "stopped" >> exitWith (ExitFailure 143)
  "fault" -> throwIO (Fault 7 "lid open")
  "recipe" -> throwIO (NoSuchRecipe "porter" 7)
  "concurrently" -> mapConcurrently_ (\n -> if n == 3 then throwIO (Fault n "lid") else threadDelay 1000000) [1 .. 5]
  "linked" -> do { pump <- async (threadDelay 1000 >> ferment 12); link pump; threadDelay 1000000 }
  "wrapped" -> ferment 6 `catch` \(e :: ErrorCall) -> throwIO (Fault 6 ("wrapped " ++ show e))
  "rethrown" -> ferment 6 `catch` \(e :: ErrorCall) -> note ("vat failed: " ++ show e) >> throwIO e
  "json" -> ferment 14 `catch` \(e :: SomeException) -> told e >> exitFailure
  "killed" -> myThreadId >>= killThread
  "level" -> print (level (H.fromList [("ale", 1)]) "stout")
  "array" -> print (cell (listArray ((0, 0), (1, 1)) [1 ..]) (4, 4))
  "byte" -> print (byteAt "abc" 12)
  "coldest" -> print (coldest S.empty)
  "none" -> print (NE.fromList ([] :: [Int]))
  "underflow" -> print (drain 3)
  "bytes" -> T.putStrLn (T.decodeUtf8 (B.pack [0xff, 0xfe]))
  "closed" -> do { lid <- openFile "/tmp/vat.lid" WriteMode; hClose lid; hPutStr lid "x" }
  "helper" -> callCommand "brew-helper --now"
  "helper-fails" -> callProcess "false" []
  "yaml" -> (Y.decodeFileThrow "vat.yaml" :: IO (M.Map String Int)) >>= print
  "yaml-missing" -> (Y.decodeFileThrow "/etc/vat/vat.yaml" :: IO (M.Map String Int)) >>= print
  "url" -> HC.parseUrlThrow "not a url" >>= print . HC.host
  _ -> die ("no such mode: " ++ mode)
 where
  recovered = ferment 5 `catch` \(e :: ErrorCall) -> note ("recovered: " ++ show e)
  told e = L.hPut stderr (A.encode (M.fromList [("severity" :: String, "CRITICAL"), ("exception", displayException e)]) <> "\n")
