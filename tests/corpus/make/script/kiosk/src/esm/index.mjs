import { nothere } from "./other.mjs";
