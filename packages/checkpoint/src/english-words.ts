/** Frequent English words, lower case. */
export const WORDS = words(`
  the be to of and a in that have i it for not on with he as you do at this but his by from they we say her
  she or an will my one all would there their what so up out if about who get which go me when make can like
  time no just him know take people into year your good some could them see other than then now look only
  come its over think also back after use two how our work first well way even new want because any these
  give day most us is are was were been has had did said made went came got took saw knew thought told
  asked used found gave called tried needed felt became left put meant kept let began showed heard played
  ran moved lived believed held brought happened wrote provided sat stood lost paid met included continued
  set learned changed led understood watched followed stopped created spoke read allowed added spent grew
  opened walked won offered remembered loved considered appeared bought waited served died sent expected
  built stayed fell cut reached killed remained man woman child children men women world life hand part
  place case week company system program question government number night point home water room mother area
  money story fact month lot right study book eye job word business issue side kind head house service friend
  father power hour game line end member law car city community name president team minute idea kid body
  information parent face others level office door health person art war history party result change morning
  reason research girl guy moment air teacher force education foot boy age policy process music market sense
  nation plan college interest death experience effect class control field development role student country
  problem school state family group great big high small large next early young important few public bad same
  able last long little own old different local sure free real best better true whole full white black red
  blue green dark short low hard easy strong possible late general open close simple clear recent certain
  personal single major economic international national social political common poor natural significant
  similar hot dead central happy serious ready left physical human final main wrong cold nice huge popular
  very here still never always often again too much many more less each every both another such own while
  where why before between under through during without against within along among around across behind
  off down near far away together once already almost perhaps ever later soon today yesterday tomorrow
  however since until although though whether either neither yes three four five six seven eight nine ten
  hundred thousand million half second third north south east west street road river sea land sun moon star
  tree animal dog cat bird fish horse food bread milk wine coffee tea table bed chair window wall floor
  phone computer software hardware data code test error file page list text search index query model
  vector learn machine network train token queue server client worker memory cache fast slow bright quick
  brown fox jump lazy over play sing write run walk eat drink sleep buy sell pay send call help need feel
  keep begin show hear seem turn start might must should may shall am im dont doesnt cant wont isnt
  january february march april june july august september october november december monday tuesday
  wednesday thursday friday saturday sunday english french german spanish chinese japanese america england
  france germany china india russia europe africa asia london paris york washington mr mrs dr st university
  science technology energy paper report news film show song album band league season club player goal
  king queen prince lord church god army air ship train plane station building bridge park garden hotel
  hospital doctor nurse medicine disease cancer blood heart brain skin cell drug price cost market bank
  stock trade product customer order product review rating movie restaurant travel flight ticket weather
  rain snow wind temperature spring summer autumn winter color size weight length height width speed
  question answer help please thank hello hi ok http https www com org net html json api url
  guitar soccer football baseball field street crowd people standing sitting walking running
  riding playing holding looking wearing talking cooking dancing swimming climbing driving eating
  woshirt hat dress coat jacket shoes hair hands
`);

/** Beginnings of words. */
export const WORD_STARTS = words(`
  un re in im dis en em non over mis sub pre inter fore de trans super semi anti mid under auto bio co
  counter down ex extra hyper infra intra macro micro mini mono multi neo out para photo poly post pro
  pseudo tele thermo tri ultra uni up con com ab ad per sur be for str sch spr thr chr phr squ scr spl
  the tha thi sha she shi sho cha che chi cho gra gre gri gro bra bre bri bro cra cre cri cro dra dre dri
  dro fra fre fri fro pra pri tra tre tri tro bla ble bli blo cla cle cli clo fla fle fli flo gla gle gli
  glo pla ple pli plo sla sle sli slo sta ste sti sto stu spa spe spi spo sca sco sma sme smi sna sne sni
  qua que qui kna kni wri wha whe whi who
`);

/** Pieces that end or go on a word. */
export const WORD_ENDINGS = words(`
  s es ed ing er ers or ors est ly y ies ied ier iest able ible al ial ally ance ancy ence ency ant ent
  ary ery ory ate ated ating ation ations ative cy dom ee een eer en ened ening ese ess ette ful fully
  hood ian ic ical ically ics ide ify ified ine ion ions ise ised ish ism isms ist ists ite ity ities ive
  ively ize ized izing izer less let like ling logy logist ment ments ness nesses ology ous ously ship
  ships sion some tion tions tional tive th ths tude ture tures ty ual ure ures ward wards ways wise
  age ages ade ard arian aire arch archy ster stead scape craft man men ville ton burg ham ford land
  lands berg stein son sen ski sky ova ovic ez ck cks ch sh ght ghts ng nt nd nds nk rd rk rm rn rt rs
  ld lt lf lk ll lls ss st sts mp mps pt ct cts ft ps ts ms ns ds bs gs ks ls ff tt nn mm rr ee oo ea ou
  ai ay oy ow aw ew ie oa au eau ight ound ough ought ould tch dge nce nge nse rse rch rth nch lly ssed
  bb dd gg pp zz qu ph wh th sch str thr chr
`);

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
