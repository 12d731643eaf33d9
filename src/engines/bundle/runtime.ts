/**
 * What stands around the modules of a bundle and evaluates them, as text. `D` has a definition for each module:
 *
 *     { f: function, r: [numbers of requests], d: [numbers of dynamic ones], n: [names], e: 1 for ECMAScript, q: {name: number} }
 *
 * A number of -1 stands for what could not be found.
 */
export const RUNTIME = String.raw`
const {create,defineProperty,preventExtensions,keys}=Object,R=[];
const record=i=>R[i]||=({n:defineProperty(create(null),Symbol.toStringTag,{value:"Module"}),s:0});
const missing=name=>{const e=Error("Cannot find module '"+name+"'");e.code="MODULE_NOT_FOUND";throw e};
const call=f=>f;
const later=d=>async i=>d[i]<0?missing("imported"):namespace(d[i]);
const give=(n,name,d)=>defineProperty(n,name,{enumerable:true,...d});
function namespace(i){
  const r=record(i),d=D[i];
  if(r.f)throw r.f[0];
  if(r.s)return r.n;
  r.s=1;
  try{
    if(d.e)d.f(
      at=>record(d.r[at]).n,
      g=>{for(const name of keys(g))give(r.n,name,{get:g[name]});preventExtensions(r.n)},
      ()=>d.r.forEach(namespace),call,later(d.d));
    else{
      const v=required(i),g={default:v,"module.exports":v};
      for(const name of d.n)if(!(name in g))try{g[name]=v==null?void 0:v[name]}catch{g[name]=void 0}
      for(const name of keys(g).sort())give(r.n,name,{value:g[name]});
      preventExtensions(r.n)
    }
  }catch(e){r.f=[e];throw e}
  return r.n
}
function required(i){
  const d=D[i],r=record(i);
  if(d.e){
    const n=namespace(i);
    if("module.exports" in n)return n["module.exports"];
    if(!("default" in n)||"__esModule" in n)return n;
    return r.c||=create(n,{__esModule:{value:true,enumerable:true}})
  }
  if(r.m)return r.m.exports;
  const m=r.m={exports:{},loaded:false,children:[],paths:[]};
  try{
    d.f.call(m.exports,m,m.exports,name=>{const to=Object.hasOwn(d.q,name)?d.q[name]:-1;return to<0?missing(name):required(to)},globalThis,later(d.d))
  }catch(e){r.m=void 0;throw e}
  m.loaded=true;
  return m.exports
}`
  .replace(/\n */g, "\n")
  .trim();
