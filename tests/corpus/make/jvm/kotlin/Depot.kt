package com.acme.depot

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking

class Shelf(private val name: String?, private val index: Map<String, Any>) {
    fun owner(): Int {
        return name!!.length // culprit: kotlin-nil
    }

    fun weight(): Int {
        return index.values.first() as Int // culprit: kotlin-cast
    }

    fun find(crate: String): Any {
        return index.getValue(crate) // culprit: kotlin-missing
    }

    suspend fun seal() {
        delay(10)
        throw IllegalStateException("shelf is sealed") // culprit: kotlin-coroutine
    }
}

fun main(args: Array<String>) {
    println("2026-11-24 04:30:45.100 INFO  depot - started")
    val shelf = Shelf(null, mapOf("B-1" to "heavy"))
    when (args[0]) {
        "nil" -> shelf.owner()
        "cast" -> shelf.weight()
        "missing" -> shelf.find("A-7")
        "coroutine" -> runBlocking { async(Dispatchers.Default) { shelf.seal() }.await() }
    }
}
