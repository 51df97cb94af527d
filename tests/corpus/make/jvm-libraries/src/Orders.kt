package com.acme.orders
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*
class Cart(private val items: Map<String, Int>) { lateinit var ledger: String // «kotlin-lateinit»
  suspend fun total(k: String): Int { delay(5); return items.getValue(k) } // «kotlin-runblocking» // «kotlin-launch»
  suspend fun avg(n: Int): Int = withContext(Dispatchers.IO) { delay(2); 100 / n } // «kotlin-ctx» // «kotlin-async»
  fun size() = ledger.length }
sealed class Outcome { object Bad : Outcome() }
class OutOfStock(sku: String) : Throwable("out of stock: $sku")
fun main(a: Array<String>) { when (a[0]) {
  "runblocking" -> runBlocking { Cart(mapOf()).total("A-7") }
  "ctx" -> runBlocking { Cart(mapOf()).avg(0) }
  "async" -> runBlocking { val d = async(Dispatchers.Default) { Cart(mapOf()).avg(0) }; d.await() }
  "launch" -> runBlocking { launch(Dispatchers.Default) { Cart(mapOf()).total("A-7") } }
  "global" -> { GlobalScope.launch { Cart(mapOf()).total("A-7") }; Thread.sleep(500) }
  "timeout" -> runBlocking { withTimeout(50) { delay(1000) } }
  "flow" -> runBlocking { flow { emit(1); emit(0) }.map { 10 / it }.flowOn(Dispatchers.IO).collect { } } // «kotlin-flow»
  "super" -> runBlocking { supervisorScope { val x = async { error("first") }; x.await() } } // «kotlin-super»
  "lateinit" -> Cart(mapOf()).size()
  "throwable" -> throw OutOfStock("A-7") // «kotlin-throwable»
  "check" -> check(a.size > 3) { "three arguments are needed" }
  "requireNotNull" -> requireNotNull(System.getenv("LEDGER_URL")) { "LEDGER_URL must be set" } // «kotlin-requirenotnull»
  "bangbang" -> System.getenv("LEDGER_URL")!!.length // «kotlin-bangbang»
  "todo" -> TODO("ledger")
  "cast" -> (a[0] as Any as Int).plus(1)
  "handler" -> { val h = CoroutineExceptionHandler { _, e -> System.err.println("handler got $e"); System.exit(3) }; runBlocking { GlobalScope.launch(h) { Cart(mapOf()).total("A-7") }.join() } }
} }
