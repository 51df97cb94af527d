(ns orders)
(defn price [item] (.length (:name item))) ;; «clojure-nil»
(defn total [items] (reduce + (map price items)))
(defn reserve [sku] (throw (ex-info "out of stock" {:sku sku :wanted 3}))) ;; «clojure-info»
(defn average [n] (/ 100 n)) ;; «clojure-div» ;; «clojure-future»
(defn load-config [] (slurp "/etc/orders/config.edn"))
(defn -main [crash]
  (println "orders starts")
  (case crash
    "nil" (total [{}])
    "info" (reserve "A-7")
    "div" (average 0)
    "file" (load-config)
    "num" (Integer/parseInt "abc")
    "cast" (+ 1 "a") ;; «clojure-cast»
    "net" (java.net.Socket. "127.0.0.1" 5499)
    "future" @(future (average 0))
    "arity" (average)
    "nofn" ("a" 1)))
(-main (first *command-line-args*))
